import CSodium
import OakumModel
import Outbound

/// PagerDuty's Events API v2: events of one `dedup_key` are one incident there, so a repetition does no harm.
struct PagerDutySender: PageSender {
    let isKeyed = true
    private let channel: HTTPChannel
    private let routingKey: Secret
    private let url: String

    init(_ duty: PagerDutySettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        let server = duty.server.hasSuffix("/") ? String(duty.server.dropLast()) : duty.server
        url = "\(server)/v2/enqueue"
        try HTTPChannel.check(url: Secret(url), of: settings)
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
        let event = PagerDutyEvent(page, routingKey: key)
        // A page is bounded far below the 512 kB that PagerDuty takes.
        guard let body = HTTPChannel.json(event) else { return HTTPChannel.notEncoded }
        var judgement = channel.judgement(page, now: now)
        judgement.secrets = Redaction([routingKey.reveal(), key] + page.page.links.map(\.url))
        do throws(OutboundError) {
            let answer = judgement.answer(try await channel.post(body, to: url, page: page, progress: progress))
            guard case .delivered(let receipt) = answer else { return answer }
            return .delivered(receipt: "\(receipt), \(event.event_action) \(event.dedup_key)")
        } catch {
            return judgement.answer(error)
        }
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
        case .opened, .escalated, .updated, .mitigated, .reopened, .stakeholders, .test: event_action = "trigger"
        }
        guard event_action == "trigger" else { return }
        let summary = page.title.isEmpty ? PageText(page: page).headline : page.title
        payload = Payload(
            summary: ReadablePage.clipped(summary, 1024), severity: page.page.severity.rawValue,
            timestamp: UTCText.rfc3339(page.page.at),
            custom_details: Details(
                page: page.page.id, news: page.news, lines: page.lines,
                facts: Dictionary(page.facts.map { ($0.name, $0.value) }, uniquingKeysWith: { "\($0); \($1)" })))
        links = page.links.map { Link(href: $0.url, text: $0.title) }
        client = "Oakum"
        client_url = page.link(.show)?.url
    }

    /// At most 255 characters: longer and odd threads are told apart by their digest.
    static func key(_ thread: String) -> String {
        let isPlain = thread.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard !isPlain || !(1...255).contains(thread.utf8.count) else { return thread }
        return "oakum-\(Digest.hex(thread))"
    }
}
