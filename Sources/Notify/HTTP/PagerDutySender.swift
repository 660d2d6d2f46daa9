import CSodium
import OakumModel
import Outbound

/// PagerDuty's Events API v2: events of one `dedup_key` are one incident there, so a repetition does no harm.
///
/// A test page is a change event: it takes the same way with the same key, and opens nothing that somebody has to close.
struct PagerDutySender: PageSender {
    let isKeyed = true
    private let channel: HTTPChannel
    private let routingKey: Secret
    private let server: String

    init(_ duty: PagerDutySettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        server = duty.server.hasSuffix("/") ? String(duty.server.dropLast()) : duty.server
        try HTTPChannel.check(url: Secret("\(server)/v2/enqueue"), of: settings)
        guard Self.isKey(duty.routingKey.reveal()) else {
            throw ChannelError(
                channel: settings.name,
                problem: "a routing key has 32 letters and digits: the integration key of an Events API v2 integration")
        }
        routingKey = duty.routingKey
        channel = HTTPChannel(
            client: client, settings: settings, receiver: "PagerDuty", secrets: [duty.routingKey.reveal()])
    }

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        let key = page.page.address.flatMap { Self.isKey($0) ? $0 : nil } ?? routingKey.reveal()
        // A page is bounded far below the 512 kB that PagerDuty takes.
        let (body, path, what) = Self.event(page, routingKey: key)
        guard let body else { return HTTPChannel.notEncoded }
        var judgement = channel.judgement(page, now: now)
        judgement.secrets = Redaction([routingKey.reveal(), key] + page.page.links.map(\.url))
        do throws(OutboundError) {
            let answer = judgement.answer(
                try await channel.post(body, to: server + path, page: page, progress: progress))
            guard case .delivered(let receipt) = answer else { return answer }
            return .delivered(receipt: "\(receipt), \(what)")
        } catch {
            return judgement.answer(error)
        }
    }

    /// Body, path, and what it is in the receipt.
    private static func event(_ page: ReadablePage, routingKey: String) -> ([UInt8]?, String, String) {
        if page.page.kind == .test {
            let change = PagerDutyChange(page, routingKey: routingKey)
            return (HTTPChannel.json(change), "/v2/change/enqueue", "change event")
        }
        let event = PagerDutyEvent(page, routingKey: routingKey)
        return (HTTPChannel.json(event), "/v2/enqueue", "\(event.event_action) \(event.dedup_key)")
    }

    private static func isKey(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
    }
}

struct PagerDutyEvent: Encodable {
    var routing_key: String
    var event_action: String
    var dedup_key: String
    /// Only a trigger has the rest.
    var payload: Payload?
    var links: [Link]?
    var client: String?
    var client_url: String?

    struct Payload: Encodable {
        var summary: String
        var source = "oakum"
        var severity: String
        var timestamp: String
        var custom_details: Details
    }

    struct Details: Encodable {
        var page: String
        var news: String
        var lines: [String]
        var facts: [String: String]

        init(_ page: ReadablePage) {
            self.page = page.page.id
            news = page.news
            lines = page.lines
            facts = Dictionary(page.facts.map { ($0.name, $0.value) }, uniquingKeysWith: { "\($0); \($1)" })
        }
    }

    struct Link: Encodable {
        var href: String
        var text: String
    }

    init(_ page: ReadablePage, routingKey: String) {
        routing_key = routingKey
        dedup_key = Self.key(page.page.thread)
        switch page.page.kind {
        case .acknowledged: event_action = "acknowledge"
        case .resolved: event_action = "resolve"
        // A test is sent as a change instead.
        case .opened, .escalated, .updated, .mitigated, .reopened, .stakeholders, .test: event_action = "trigger"
        }
        guard event_action == "trigger" else { return }
        payload = Payload(
            summary: Self.summary(page), severity: page.page.severity.rawValue,
            timestamp: UTCText.rfc3339(page.page.at), custom_details: Details(page))
        links = page.links.map { Link(href: $0.url, text: $0.title) }
        client = "Oakum"
        client_url = page.link(.show)?.url
    }

    static func summary(_ page: ReadablePage) -> String {
        ReadablePage.clipped(page.title.isEmpty ? PageText(page: page).headline : page.title, 1024)
    }

    /// At most 255 characters: longer and odd threads are told apart by their digest.
    static func key(_ thread: String) -> String {
        let isPlain = thread.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard !isPlain || !(1...255).contains(thread.utf8.count) else { return thread }
        return "oakum-\(Digest.hex(thread))"
    }
}

/// What has been changed somewhere: listed beside the service's incidents, and nobody is called for it.
struct PagerDutyChange: Encodable {
    var routing_key: String
    var payload: Payload
    var links: [PagerDutyEvent.Link]

    struct Payload: Encodable {
        var summary: String
        var source = "oakum"
        var timestamp: String
        var custom_details: PagerDutyEvent.Details
    }

    init(_ page: ReadablePage, routingKey: String) {
        routing_key = routingKey
        payload = Payload(
            summary: PagerDutyEvent.summary(page), timestamp: UTCText.rfc3339(page.page.at),
            custom_details: PagerDutyEvent.Details(page))
        links = page.links.map { PagerDutyEvent.Link(href: $0.url, text: $0.title) }
    }
}
