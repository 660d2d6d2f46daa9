import Synchronization

/// What a fake receiver got, in the order it came. A message that nobody expects is a failure of the test.
package final class Inbox<Message: Sendable>: Sendable {
    private let all = Mutex<[Message]>([])
    private let text: @Sendable (Message) -> String

    /// - Parameter text: what a message's id is looked for in.
    init(text: @escaping @Sendable (Message) -> String) {
        self.text = text
    }

    package var messages: [Message] { all.withLock { $0 } }

    /// Drops what has come: for tests that send for long and look at memory.
    package func forget() {
        all.withLock { $0 = [] }
    }

    func record(_ message: Message) {
        all.withLock { $0.append(message) }
    }

    /// How many messages hold the id.
    package func count(of id: String) -> Int {
        messages.count { text($0).contains(id) }
    }

    /// - Throws: `TestKitError` when a message holds none of the ids, or an id came more often than allowed or not at all.
    package func check(_ ids: [String], times: ClosedRange<Int> = 1...1) throws {
        for message in messages where !ids.contains(where: text(message).contains) {
            throw TestKitError("an unexpected message came:\n\(text(message).prefix(2000))")
        }
        for id in ids where !times.contains(count(of: id)) {
            throw TestKitError("\(id) came \(count(of: id)) times, expected \(times)")
        }
    }
}
