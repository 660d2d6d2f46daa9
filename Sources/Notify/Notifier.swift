package import OakumModel
package import Outbound

/// Sends pages: each to the channel it names, once, and says what became of it. Repetition, order and limits are others'.
///
/// It keeps nothing between calls. Any number of pages may be under way; each ends within its channel's timeout.
package struct Notifier: Sendable {
    private let senders: [String: any PageSender]
    private let now: @Sendable () -> WallTime

    /// - Parameters:
    ///   - client: for everything that goes over the network.
    ///   - now: the wall clock, for signatures and for `Retry-After` with a date.
    ///   - console: gets the text of pages to `console` channels, several lines in one call; must not wait.
    /// - Throws: `ChannelError` for the first channel that cannot work as it is set.
    package init(
        channels: [ChannelSettings], client: OutboundClient, now: @escaping @Sendable () -> WallTime,
        console: @escaping @Sendable (String) -> Void
    ) throws(ChannelError) {
        var senders: [String: any PageSender] = [:]
        for channel in channels {
            guard Self.isName(channel.name) else {
                throw ChannelError(
                    channel: channel.name.debugDescription,
                    problem: "a channel's name has 1 to 64 letters, digits, _, - and .")
            }
            guard senders[channel.name] == nil else {
                throw ChannelError(channel: channel.name, problem: "there are two channels of this name")
            }
            senders[channel.name] = try Self.sender(channel, client, console)
        }
        self.senders = senders
        self.now = now
    }

    /// Names of the channels, sorted.
    package var channels: [String] { senders.keys.sorted() }

    /// Whether the channel's receiver takes two pages with the same id for one; nil: there is no such channel.
    package func isKeyed(_ channel: String) -> Bool? { senders[channel]?.isKeyed }

    /// Tries once. Cancelling the task ends the attempt with `again`: whether the page went out is unknown then.
    package func send(_ page: Page, progress: SendProgress = SendProgress()) async -> SendAnswer {
        guard let sender = senders[page.channel] else {
            let known = channels.isEmpty ? "none is configured" : "there are \(channels.joined(separator: ", "))"
            return .refused(words: "no channel is called \(page.channel.debugDescription); \(known)")
        }
        let readable = ReadablePage(page)
        if let problem = readable.problem { return .refused(words: problem) }
        return await sender.send(readable, now: now(), progress: progress)
    }

    private static func sender(
        _ channel: ChannelSettings, _ client: OutboundClient, _ console: @escaping @Sendable (String) -> Void
    ) throws(ChannelError) -> any PageSender {
        switch channel.kind {
        case .mail(let settings): try MailSender(settings, channel, client)
        case .webhook(let settings): try WebhookSender(settings, channel, client)
        case .slack(let settings): try SlackSender(settings, channel, client)
        case .pagerDuty(let settings): try PagerDutySender(settings, channel, client)
        case .ntfy(let settings): try NtfySender(settings, channel, client)
        case .file(let settings): try FileSender(settings, channel: channel.name)
        case .console: ConsoleSender(write: console)
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
