import Foundation
import OakumModel
import Outbound

/// ntfy, published as JSON at the server's root. It knows no key: a repetition is a second notification, told by the page's id.
struct NtfySender: PageSender {
    let isKeyed = false
    private let channel: HTTPChannel
    private let ntfy: NtfySettings

    init(_ ntfy: NtfySettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        try HTTPChannel.check(url: Secret(ntfy.server), of: settings)
        if let topic = ntfy.topic, !Self.isTopic(topic.reveal()) {
            throw ChannelError(
                channel: settings.name, problem: "a topic has 1 to 64 letters, digits, _ and -; this one has not")
        }
        self.ntfy = ntfy
        channel = HTTPChannel(
            client: client, settings: settings, receiver: "ntfy",
            secrets: [ntfy.topic, ntfy.token].compactMap { $0?.reveal() })
    }

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        guard let topic = page.page.address ?? ntfy.topic?.reveal(), Self.isTopic(topic) else {
            return .refused(words: "neither the page nor the channel names an ntfy topic (letters, digits, _ and -)")
        }
        guard let body = HTTPChannel.json(NtfyMessage(page, topic: topic)) else { return HTTPChannel.notEncoded }
        let headers = ntfy.token.map { [("Authorization", "Bearer \($0.reveal())")] } ?? []
        var judgement = channel.judgement(page, now: now)
        let secrets = [topic, ntfy.topic?.reveal(), ntfy.token?.reveal()].compactMap { $0 }
        judgement.secrets = Redaction(secrets + page.page.links.map(\.url))
        do throws(OutboundError) {
            let response = try await channel.post(
                body, to: ntfy.server, headers: headers, page: page, progress: progress)
            let answer = judgement.answer(response)
            guard case .delivered(let receipt) = answer, let id = Self.messageID(response.body) else { return answer }
            return .delivered(receipt: "\(receipt), message \(judgement.secrets.applied(to: id))")
        } catch {
            return judgement.answer(error)
        }
    }

    private static func isTopic(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
                    || $0 == 0x2D
            }
    }

    private struct Published: Decodable {
        var id: String
    }

    private static func messageID(_ body: [UInt8]) -> String? {
        do {
            return ReadablePage.clean(try JSONDecoder().decode(Published.self, from: Data(body)).id, limit: 64)
        } catch {
            // The status has said that it was taken; the id is but a courtesy.
            return nil
        }
    }
}

struct NtfyMessage: Encodable {
    var topic: String
    var title: String
    var message: String
    var priority: Int
    var tags: [String]
    var click: String?
    var actions: [Action]?

    struct Action: Encodable {
        var action = "view"
        var label: String
        var url: String
    }

    /// A longer text becomes an attached file at ntfy.
    static let messageBytes = 4000

    init(_ page: ReadablePage, topic: String) {
        let shown = PageText(page: page)
        self.topic = topic
        title = ReadablePage.clippedBytes(shown.headline, 240)
        let body = (page.lines + page.facts.map { "\($0.name): \($0.value)" }).joined(separator: "\n")
        let footer = "\n\(shown.footer)"
        message = ReadablePage.clippedBytes(body, Self.messageBytes - footer.utf8.count) + footer
        priority = Self.priority(page)
        tags = [page.isCalming ? "white_check_mark" : Self.tag(page.page.severity), page.page.kind.rawValue]
        click = page.link(.show)?.url
        // ntfy shows three.
        let buttons = [PageLink.Action.acknowledge, .resolve, .runbook].compactMap(page.link)
        actions = buttons.isEmpty ? nil : buttons.prefix(3).map { Action(label: $0.title, url: $0.url) }
    }

    /// 5 breaks through "do not disturb"; good news do not.
    private static func priority(_ page: ReadablePage) -> Int {
        let urgency =
            switch page.page.severity {
            case .critical: 5
            case .error: 4
            case .warning: 3
            case .info: 2
            }
        return page.isCalming ? min(urgency, 3) : urgency
    }

    private static func tag(_ severity: Severity) -> String {
        switch severity {
        case .critical, .error: "rotating_light"
        case .warning: "warning"
        case .info: "information_source"
        }
    }
}
