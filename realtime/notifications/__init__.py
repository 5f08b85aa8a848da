"""What a person is told beside the pages: stored, pushed, read and unread.

Apps register kinds and call notify(), both from realtime.api. Which facts are worth telling, and in
which words, is theirs: nothing here knows an order from a product.
"""
