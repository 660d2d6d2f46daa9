import OakumModel
import Outbound

/// Mail through one server. Mail knows no key: a repetition is a second mail with the same Message-ID, which many mail
/// stores and readers show once.
struct MailSender: PageSender {
    let isKeyed = false
    private let client: OutboundClient
    private let settings: ChannelSettings
    private let mail: MailSettings
    private let host: String
    private let port: Int

    init(_ mail: MailSettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        func problem(_ text: String) -> ChannelError { ChannelError(channel: settings.name, problem: text) }
        guard HostName(mail.host) != nil else {
            throw problem("not the name of a mail server: \(mail.host.debugDescription)")
        }
        for address in mail.recipients + [mail.sender] where !OutboundMail.isMailbox(address) {
            throw problem("not a mail address: \(address.debugDescription); expected NAME@DOMAIN in ASCII")
        }
        guard mail.recipients.count <= 50 else { throw problem("at most 50 recipients; use a mailing list for more") }
        guard (mail.user == nil) == (mail.password == nil) else { throw problem("a login needs user and password") }
        let host = mail.messageHost ?? String(mail.sender.drop { $0 != "@" }.dropFirst())
        guard let name = HostName(host) else { throw problem("not a host name: \(host.debugDescription)") }
        port = mail.port ?? (mail.security == .implicitTLS ? 465 : 587)
        guard (1...65_535).contains(port) else { throw problem("there is no port \(port)") }
        self.host = name.text
        self.client = client
        self.settings = settings
        self.mail = mail
    }

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        let recipients = page.page.address.map { [$0] } ?? mail.recipients
        guard !recipients.isEmpty else {
            return .refused(words: "neither the page nor the channel names a recipient")
        }
        guard recipients.allSatisfy(OutboundMail.isMailbox) else {
            return .refused(words: "the page is addressed to something that is no mail address")
        }
        let message = MailMessage(page, mail, recipients: recipients, host: host)
        var outgoing = OutboundMail(
            host: mail.host, port: port, security: mail.security, user: mail.user,
            password: mail.password?.reveal(), helloName: host, sender: mail.sender, recipients: recipients,
            message: Array(message.text.utf8), timeoutSeconds: settings.boundedTimeout, network: settings.network,
            trustedCertificates: settings.trustedCertificates)
        outgoing.progress = progress
        let secrets = Redaction([mail.password?.reveal()].compactMap { $0 } + page.page.links.map(\.url))
        do throws(OutboundError) {
            return answer(try await client.send(outgoing), of: recipients.count, secrets)
        } catch {
            return AnswerJudgement(receiver: mail.host, now: now, secrets: secrets).answer(error)
        }
    }

    /// 4xx is "not now", 5xx "never" (RFC 5321, section 4.2.1).
    private func answer(_ answer: MailAnswer, of recipients: Int, _ secrets: Redaction) -> SendAnswer {
        let said = secrets.applied(to: ReadablePage.clean(answer.text, limit: 200))
        guard answer.isAccepted else {
            let words = "the mail server answered \(said)"
            return (500..<600).contains(answer.code) ? .refused(words: words) : .again(after: nil, words: words)
        }
        guard !answer.refusedRecipients.isEmpty else { return .delivered(receipt: said) }
        let refused = answer.refusedRecipients.keys.sorted().joined(separator: ", ")
        return .delivered(
            receipt:
                "\(said), but \(answer.refusedRecipients.count) of \(recipients) recipients were refused: \(refused)")
    }
}
