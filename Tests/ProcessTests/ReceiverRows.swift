import OakumTestKit
import Synchronization

/// One receiver of pages, and what a real `oakum up` must make of it.
struct ReceiverRow: Sendable {
    enum Fate: Sendable {
        /// By the first attempt.
        case delivered
        /// Tried again until it is taken, the second attempt no earlier than so many seconds after the first.
        case retried(after: Double = 0)
        /// Tried again as long as anybody wants it; the words of the last failure hold this.
        case tried(words: String)
        /// A dead letter after one attempt: the next step is due at once.
        case dead(words: String)
        /// The same, and nothing is sent there any more.
        case disabled
    }

    var name: String
    /// The answers to the first attempts; after them all is well.
    var answers: [HTTPReceiver.Answer]
    var fate: Fate
    var isSlack = false
    /// Other than that of the receiver.
    var url: String?

    init(
        _ name: String, _ answers: [HTTPReceiver.Answer], _ fate: Fate, isSlack: Bool = false, url: String? = nil
    ) {
        self.name = name
        self.answers = answers
        self.fate = fate
        self.isSlack = isSlack
        self.url = url
    }

    /// Those that hold no step up: worth another try, or well at once.
    static let patient: [ReceiverRow] = [
        .init("slow", [.dribble(200, body: "")], .delivered),
        .init("error-in-body", [.status(200, body: #"{"error":"no"}"#)], .delivered),
        .init("slack-error-in-body", [.status(200, body: "no_service")], .retried(), isSlack: true),
        .init("s408", [.status(408)], .retried()),
        .init("s429", [.status(429)], .retried()),
        .init("s429-in-2s", [.status(429, headers: ["Retry-After": "2"])], .retried(after: 2)),
        .init("s500", [.status(500, body: "sorry"), .status(500)], .retried()),
        .init("s503", [.status(503)], .retried()),
        .init("s503-in-2s", [.status(503, headers: ["Retry-After": "2"])], .retried(after: 2)),
        .init("hangs", [.silence], .retried(after: 1)),
        .init("hangs-in-body", [.hangAfterHead(200)], .retried(after: 1)),
        .init("reset", [.reset(200)], .retried()),
        .init("cut", [.cut(200)], .retried()),
        .init("babble", [.bytes("what?\r\n\r\n")], .retried()),
        .init("endless-200", [.flood(200, bytes: 100 << 20)], .delivered),
        .init("endless-500", [.flood(500, bytes: 100 << 20)], .retried()),
        .init("no-tls", [], .tried(words: "SSL"), url: "https://127.0.0.1:PLAIN"),
    ]

    /// Those that make the next step due.
    static let final: [ReceiverRow] = [
        .init("s301", [.status(301, headers: ["Location": "/taken"])], .dead(words: "301")),
        .init("s307", [.status(307, headers: ["Location": "/taken"])], .dead(words: "307")),
        .init("s400", [.status(400, body: "bad")], .dead(words: "400")),
        .init("s401", [.status(401)], .dead(words: "401")),
        .init("s403", [.status(403)], .dead(words: "403")),
        .init("s404", [.status(404)], .dead(words: "404")),
        .init("s410", [.status(410)], .disabled),
        .init("endless-400", [.flood(400, bytes: 100 << 20)], .dead(words: "400")),
        .init("private", [], .dead(words: "loopback"), url: "http://127.0.0.2:PORT"),
        .init("good", [], .delivered),
    ]
}

/// Plays all rows: which one a request is for stands in its path.
final class ReceiverBoard: Sendable {
    struct Attempt: Sendable {
        var page: String
        var body: [UInt8]
        var at: ContinuousClock.Instant
    }

    private final class Book: Sendable {
        let attempts = Mutex<[String: [Attempt]]>([:])
    }

    private let book: Book
    private let receiver: HTTPReceiver
    var port: UInt16 { receiver.port }

    init(_ rows: [ReceiverRow]) throws {
        let book = Book()
        self.book = book
        receiver = try HTTPReceiver { request in
            let name = String(request.target.dropFirst())
            // Slack's messages have their id in the text alone.
            let attempt = Attempt(page: request.header("webhook-id") ?? "", body: request.body, at: .now)
            let number = book.attempts.withLock { attempts in
                attempts[name, default: []].append(attempt)
                return attempts[name, default: []].count { $0.page == attempt.page }
            }
            guard let row = rows.first(where: { $0.name == name }), row.answers.count >= number else {
                return .status(200, body: "ok")
            }
            return row.answers[number - 1]
        }
    }

    /// In the order they came.
    func attempts(of row: String) -> [Attempt] { book.attempts.withLock { $0[row] ?? [] } }
    /// Rows that were asked.
    var asked: Set<String> { book.attempts.withLock { Set($0.keys) } }

    func stop() {
        receiver.stop()
    }
}
