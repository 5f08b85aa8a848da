"""Where suggestions are found."""

from django.urls import path

from products.suggestions import pages, views

SUGGESTION = "api/suggestions/<int:suggestion_id>"

urlpatterns = [
    path("suggestions/", pages.SuggestionsPage.as_view(), name="suggestions"),
    path("suggestions/<int:suggestion_id>", pages.SuggestionPage.as_view(), name="suggestion"),
    path("api/suggestions", views.SuggestionsView.as_view(), name="api-suggestions"),
    path(f"{SUGGESTION}/vote", views.VoteView.as_view(), name="api-suggestion-vote"),
    path(f"{SUGGESTION}/answer", views.AnswerView.as_view(), name="api-suggestion-answer"),
]
