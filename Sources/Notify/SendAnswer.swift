import OakumModel
package import Outbound

/// What became of one attempt to send a page. Words are for people and for the record: never a secret in them.
package enum SendAnswer: Hashable, Sendable {
    /// The receiver said that it has it.
    case delivered(receipt: String)
    /// Not now. Whether the receiver has it is not known; a repetition carries the same id.
    /// - Parameter after: seconds the receiver asked for, 0 to 86,400.
    case again(after: Double?, words: String)
    /// Never, as things are configured: trying again changes nothing.
    case refused(words: String)
    /// The receiver wants nothing more from this channel.
    case disabled(words: String)
}

/// How far an attempt has come; see `OutboundProgress` for what each call promises. For a file: it is open, the line is
/// written, the line is on the disk.
package typealias SendProgress = OutboundProgress

/// One way to send a page. Knows nothing of repetition: that is the outbox's affair.
protocol PageSender: Sendable {
    /// Whether the receiver takes two pages with one id for one, by what its documentation promises.
    var isKeyed: Bool { get }

    /// - Parameter now: the time of this attempt.
    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer
}

/// A channel's settings that cannot work.
package struct ChannelError: Error, Hashable, Sendable, CustomStringConvertible {
    package var channel: String
    /// What is wrong and how to put it right; never a secret.
    package var problem: String

    package init(channel: String, problem: String) {
        self.channel = channel
        self.problem = problem
    }

    package var description: String { "channel \(channel): \(problem)" }
}
