import OakumModel
import Outbound

/// Slack's incoming webhook. It knows no key: a repetition is a second message, told by the page's id at its end.
struct SlackSender: PageSender {
    let isKeyed = false
    private let channel: HTTPChannel
    private let url: Secret

    init(_ slack: SlackSettings, _ settings: ChannelSettings, _ client: OutboundClient) throws(ChannelError) {
        try HTTPChannel.check(url: slack.url, of: settings)
        url = slack.url
        channel = HTTPChannel(client: client, settings: settings, receiver: "Slack", secrets: [slack.url.reveal()])
    }

    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        guard let body = HTTPChannel.json(SlackMessage(page)) else { return HTTPChannel.notEncoded }
        let judgement = channel.judgement(page, now: now)
        do throws(OutboundError) {
            let response = try await channel.post(body, to: url.reveal(), page: page, progress: progress)
            let answer = judgement.answer(response)
            guard case .delivered = answer else { return answer }
            // Slack says so when it has taken it; anything else was said by somebody in between.
            let said = judgement.said(response)
            return said == "ok" ? answer : .again(after: nil, words: "\(judgement.words(response)) instead of ok")
        } catch {
            return judgement.answer(error)
        }
    }
}

/// Text for notifications, blocks for the channel. Limits after Slack's Block Kit reference.
struct SlackMessage: Encodable {
    var text: String
    var blocks: [Block]
    /// Otherwise Slack fetches the links.
    var unfurl_links = false
    var unfurl_media = false

    struct Block: Encodable {
        var type: String
        var text: Text?
        var fields: [Text]?
        var elements: [Text]?
    }

    struct Text: Encodable {
        var type = "mrkdwn"
        var text: String
    }

    init(_ page: ReadablePage) {
        let shown = PageText(page: page)
        text = ReadablePage.clipped(Self.escaped(shown.headline), 3000)
        blocks = [Self.section(["*\(Self.escaped(shown.headline))*"])]
        if !page.lines.isEmpty { blocks.append(Self.section(page.lines.map(Self.escaped))) }
        // At most ten fields a section, of 2,000 characters.
        for start in stride(from: 0, to: min(page.facts.count, 40), by: 10) {
            let fields = page.facts[start..<min(start + 10, page.facts.count)].map {
                Text(text: Self.fitting(["*\(Self.escaped($0.name))*", Self.escaped($0.value)], 2000))
            }
            blocks.append(Block(type: "section", fields: fields))
        }
        if !page.links.isEmpty {
            blocks.append(Self.section([page.links.map(Self.link).joined(separator: " · ")]))
        }
        blocks.append(Block(type: "context", elements: [Text(text: Self.escaped(shown.footer))]))
    }

    private static func section(_ lines: [String]) -> Block {
        Block(type: "section", text: Text(text: fitting(lines, 3000)))
    }

    /// Whole lines, as many as fit; a first one that is too long is cut.
    private static func fitting(_ lines: [String], _ limit: Int) -> String {
        var result = ""
        for line in lines {
            let longer = result.isEmpty ? line : result + "\n" + line
            guard longer.count <= limit else { return result.isEmpty ? ReadablePage.clipped(line, limit) : result }
            result = longer
        }
        return result
    }

    /// Three characters mean something to Slack; without them there is no mention and no link either.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private static func link(_ link: PageLink) -> String {
        "<\(escaped(link.url))|\(escaped(link.title.replacing("|", with: "/")))>"
    }
}
