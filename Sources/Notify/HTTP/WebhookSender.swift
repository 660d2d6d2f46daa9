import OakumModel
import Outbound

/// Standard Webhooks (https://www.standardwebhooks.com): a receiver knows a repetition by `webhook-id`.
struct WebhookSender: PageSender {
    let isKeyed = true
    private let channel: HTTPChannel
    private let url: Secret
    private let signature: WebhookSignature
    private let headers: [(String, String)]

    /// The specification advises to stay below 20 kB.
    static let bodyBytes = 20_000

    init(_ webhook: WebhookSettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        try HTTPChannel.check(url: webhook.url, of: settings)
        guard let signature = WebhookSignature(webhook.secrets) else {
            throw ChannelError(
                channel: settings.name,
                problem: "a signing secret is whsec_ and 24 to 64 bytes in base64, at most four of them; to make one: "
                    + "echo whsec_$(openssl rand -base64 32)")
        }
        for name in webhook.headers.keys where Self.isOurs(name) {
            throw ChannelError(channel: settings.name, problem: "the header \(name) is set by Oakum itself")
        }
        guard webhook.headers.count <= 20 else {
            throw ChannelError(channel: settings.name, problem: "at most 20 further headers are sent")
        }
        self.signature = signature
        url = webhook.url
        headers = webhook.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value.reveal()) }
        do throws(OutboundError) {
            try OutboundRequest(target: .url(webhook.url.reveal()), headers: headers).checkSyntax()
        } catch {
            throw ChannelError(channel: settings.name, problem: "a further header is malformed: its name or its value")
        }
        channel = HTTPChannel(
            client: client, settings: settings, receiver: "the webhook",
            secrets: [webhook.url.reveal()] + webhook.secrets.map { $0.reveal() } + headers.map(\.1))
    }

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        guard let body = WebhookBody.bytes(page, limit: Self.bodyBytes) else { return HTTPChannel.notEncoded }
        let seconds = now.milliseconds / 1000
        var headers = headers + [("webhook-id", page.page.id), ("webhook-timestamp", "\(seconds)")]
        if let value = signature.value(id: page.page.id, seconds: seconds, body: body) {
            headers.append(("webhook-signature", value))
        }
        let judgement = channel.judgement(page, now: now)
        do throws(OutboundError) {
            return judgement.answer(
                try await channel.post(body, to: url.reveal(), headers: headers, page: page, progress: progress))
        } catch {
            return judgement.answer(error)
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("webhook-")
            || ["host", "content-length", "content-type", "transfer-encoding", "connection"].contains(name)
    }
}

/// The body of a webhook, which is also the line of a file.
struct WebhookBody: Encodable {
    var type: String
    var timestamp: String
    var data: Content

    struct Content: Encodable {
        var id: String
        var kind: PageKind
        var incident: Int64?
        var severity: Severity
        var title: String
        var lines: [String]
        var facts: [PageFact]
        var links: [PageLink]
        var thread: String
        var begins_thread: Bool
        var channel: String
        var person: String?
        var address: String?
        /// Lines or facts were left out.
        var truncated: Bool?
    }

    init(_ page: ReadablePage) {
        let model = page.page
        type = "incident.\(model.kind.rawValue)"
        timestamp = UTCText.rfc3339(model.at)
        data = Content(
            id: model.id, kind: model.kind, incident: model.incident, severity: model.severity, title: page.title,
            lines: page.lines, facts: page.facts, links: page.links,
            thread: ReadablePage.clean(model.thread, limit: 512), begins_thread: model.beginsThread,
            channel: model.channel, person: model.person.map { ReadablePage.clean($0, limit: 200) },
            address: model.address.map { ReadablePage.clean($0, limit: 254) }, truncated: nil)
    }

    /// JSON of at most so many bytes: the last lines and facts go first when it is too much, links stay.
    static func bytes(_ page: ReadablePage, limit: Int) -> [UInt8]? {
        var body = WebhookBody(page)
        guard var bytes = HTTPChannel.json(body) else { return nil }
        while bytes.count > limit {
            body.data.truncated = true
            if body.data.lines.count > 1, body.data.lines.count >= body.data.facts.count {
                body.data.lines.removeLast(max(1, body.data.lines.count / 4))
            } else if !body.data.facts.isEmpty {
                body.data.facts.removeLast(max(1, body.data.facts.count / 4))
            } else if let line = body.data.lines.first, line.count > 200 {
                body.data.lines = [ReadablePage.clipped(line, 200)]
            } else if !body.data.links.isEmpty {
                body.data.links.removeLast()
            } else {
                return nil
            }
            guard let shorter = HTTPChannel.json(body) else { return nil }
            bytes = shorter
        }
        return bytes
    }
}
