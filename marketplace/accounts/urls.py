"""Addresses of accounts: the API and the pages."""

from django.urls import path

from marketplace.accounts import pages, views

urlpatterns = [
    path("api/auth/register", views.RegisterView.as_view()),
    path("api/auth/token", views.TokenView.as_view()),
    path("api/auth/token/refresh", views.RefreshView.as_view()),
    path("api/auth/logout", views.LogoutView.as_view()),
    path("api/auth/password", views.PasswordView.as_view()),
    path("api/auth/me", views.AccountView.as_view()),
    path("api/events/ticket", views.TicketView.as_view()),
    path("login", pages.LoginPage.as_view(), name="login"),
    path("logout", pages.LogoutPage.as_view(), name="logout"),
    path("register", pages.RegisterPage.as_view(), name="register"),
    path("account/", pages.AccountPage.as_view(), name="account"),
    path("account/password", pages.PasswordPage.as_view(), name="account-password"),
    path("account/logins", pages.LoginsPage.as_view(), name="account-logins"),
    path("password-reset/", pages.PasswordResetPage.as_view(), name="password_reset"),
    path("password-reset/sent", pages.PasswordResetDone.as_view(), name="password_reset_done"),
    path(
        "password-reset/<uidb64>/<token>",
        pages.PasswordResetConfirm.as_view(),
        name="password_reset_confirm",
    ),
    path(
        "password-reset/complete",
        pages.PasswordResetComplete.as_view(),
        name="password_reset_complete",
    ),
]
