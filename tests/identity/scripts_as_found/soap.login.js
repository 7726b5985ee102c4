async function login(email, password, callback) {
  const axios = require('axios@1.6.8');
  const escape = (text) => text.replace(/[<>&'"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const envelope = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
    <Login xmlns="http://tempuri.org/"><u>${escape(email)}</u><p>${escape(password)}</p></Login></soap:Body></soap:Envelope>`;
  try {
    const response = await axios.post(configuration.SOAP_URL, envelope, { timeout: 8000, headers: { SOAPAction: 'http://tempuri.org/Login', Authorization: configuration.SOAP_AUTH } });
    const user = parse(response.data);
    if (!user) return callback(new WrongUsernameOrPasswordError(null));
    return callback(null, {
      user_id: `shop|${user.id}`,
      email: user['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress'],
      email_verified: true,
      app_metadata: { 'http://shop.example/roles': user.roles },
    });
  } catch (error) {
    return callback(new Error('The service is away.'));
  }
  function parse(xml) { return /<id>(\d+)/.exec(xml) && { id: RegExp.$1 }; }
}
