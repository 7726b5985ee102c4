// Hands the authorization response to the application's window, and to no other origin.
const answer = document.getElementById("response");
const response = Object.fromEntries([...answer.children].map((item) => [item.textContent, item.value]));
if (response.expires_in) response.expires_in = Number(response.expires_in);
const target = window.opener || window.parent;
target.postMessage({ type: "authorization_response", response }, answer.dataset.origin);
