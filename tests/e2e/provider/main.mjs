// An OpenID Connect provider with its own login pages, which take any password. Settings: ISSUER, PORT, REDIRECT_URIS
// (separated by commas), CLIENT_SECRET, PEOPLE (JSON: claims by login name).
import { Provider } from "oidc-provider";

const people = JSON.parse(process.env.PEOPLE);

const provider = new Provider(process.env.ISSUER, {
  clients: [
    {
      client_id: "localchat",
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: process.env.REDIRECT_URIS.split(","),
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "email", "profile", "groups"],
  pkce: { required: () => true },
  findAccount: (_, login) =>
    people[login] && { accountId: login, claims: () => ({ sub: login, ...people[login] }) },
});
provider.listen(Number(process.env.PORT), () => console.log("listening"));
