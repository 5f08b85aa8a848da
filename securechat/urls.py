"""Where conversations are found."""

from django.urls import path

from securechat import pages, views

SESSIONS = "api/dh/sessions"
SESSION = f"{SESSIONS}/<uuid:session_id>"

urlpatterns = [
    path("chat/", pages.ChatPage.as_view(), name="chats"),
    path("chat/<uuid:session_id>", pages.ChatPage.as_view(), name="chats"),
    path(SESSIONS, views.SessionsView.as_view(), name="api-chats"),
    path(SESSION, views.SessionView.as_view(), name="api-chat"),
    path(f"{SESSION}/key", views.KeyView.as_view(), name="api-chat-key"),
    path(f"{SESSION}/rekey", views.RekeyView.as_view(), name="api-chat-rekey"),
    path(f"{SESSION}/close", views.CloseView.as_view(), name="api-chat-close"),
    path(f"{SESSION}/messages", views.MessagesView.as_view(), name="api-chat-messages"),
    path(f"{SESSION}/typing", views.TypingView.as_view(), name="api-chat-typing"),
    path(f"{SESSION}/attachments", views.AttachmentsView.as_view(), name="api-chat-attachments"),
    path(
        f"{SESSION}/attachments/<uuid:attachment_id>",
        views.AttachmentView.as_view(),
        name="api-chat-attachment",
    ),
    path(f"{SESSION}/block", views.BlockView.as_view(), name="api-chat-block"),
    path(f"{SESSION}/unblock", views.UnblockView.as_view(), name="api-chat-unblock"),
    path(f"{SESSION}/report", views.ReportView.as_view(), name="api-chat-report"),
]
