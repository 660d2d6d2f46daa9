import Synchronization

// MARK: - A continuation that is never resumed, and a task that never ends

@inline(never) @Sendable func waitForAnswer(_ session: Session, leaks: Bool) async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        if !leaks { continuation.resume() }
    }
    if session.body.isEmpty { print("empty") }
}

@Sendable func continuation(leaks: Bool) async {
    for number in 0..<rounds {
        pace()
        Task.detached { await waitForAnswer(Session(number), leaks: leaks) }
    }
    // Nobody cancels this; a wait that is over early is as good.
    try? await clock.sleep(for: .milliseconds(200))
}

@inline(never) @Sendable func poll(_ session: Session, leaks: Bool) async {
    // Nobody cancels this; a wait that is over early is as good.
    repeat { try? await clock.sleep(for: leaks ? .seconds(3_600) : .milliseconds(1)) } while leaks
    if session.body.isEmpty { print("empty") }
}

@Sendable func endlessTask(leaks: Bool) async {
    for number in 0..<rounds {
        pace()
        Task.detached { await poll(Session(number), leaks: leaks) }
    }
    // Nobody cancels this; a wait that is over early is as good.
    try? await clock.sleep(for: .milliseconds(300))
}

// MARK: - A stream whose buffer has no bound

final class EventBus: Sendable {
    static let shared = EventBus()
    private let feed: Mutex<AsyncStream<[UInt8]>.Continuation?>
    private let stream: Mutex<AsyncStream<[UInt8]>?>

    init() {
        feed = Mutex(nil)
        stream = Mutex(nil)
    }

    func open(leaks: Bool) {
        let (stream, feed) = AsyncStream.makeStream(
            of: [UInt8].self, bufferingPolicy: leaks ? .unbounded : .bufferingNewest(5))
        self.feed.withLock { $0 = feed }
        self.stream.withLock { $0 = stream }
    }

    @inline(never) func publish(_ number: Int) {
        feed.withLock { _ = $0?.yield([UInt8](repeating: 4, count: 3_000)) }
    }
}

@Sendable func channel(leaks: Bool) async {
    EventBus.shared.open(leaks: leaks)
    for number in 0..<rounds {
        EventBus.shared.publish(number)
        pace()
    }
}

// MARK: - A generic class behind a protocol

protocol Sink: AnyObject {
    func take(_ number: Int)
}

final class Store<Element>: Sink {
    private var kept: [Element] = []
    private let make: (Int) -> Element
    private let limit: Int

    init(limit: Int, make: @escaping (Int) -> Element) {
        self.limit = limit
        self.make = make
    }

    @inline(never) func take(_ number: Int) {
        kept.append(make(number))
        if kept.count > limit { kept.removeFirst() }
    }
}

struct Upload {
    var name: String
    var session: Session
}

enum Registry {
    // Safe: the one task that does the work touches it alone.
    nonisolated(unsafe) static var sinks: [String: any Sink] = [:]
}

@Sendable func genericStore(leaks: Bool) async {
    Registry.sinks["uploads"] = Store<Upload>(limit: leaks ? .max : 5) { Upload(name: "", session: Session($0)) }
    for number in 0..<rounds {
        Registry.sinks["uploads"]?.take(number)
        pace()
    }
}

// MARK: - Sets, strings, enums, and lists of observers

// Safe: the one task that does the work touches it alone.
nonisolated(unsafe) var namesSeen: Set<String> = []

@Sendable func setOfNames(leaks: Bool) async {
    for number in 0..<rounds {
        pace()
        namesSeen.insert(String(repeating: "visitor \(number) ", count: 60))
        if !leaks, namesSeen.count > 5, let first = namesSeen.first { namesSeen.remove(first) }
    }
}

enum Message {
    case session(Session)
    case text(String)
    case connection(Connection)
}

final class Mailbox {
    // Safe: the one task that does the work touches it alone.
    nonisolated(unsafe) static let main = Mailbox()
    var messages: [Message] = []
}

@Sendable func enumPayload(leaks: Bool) async {
    for number in 0..<rounds {
        pace()
        Mailbox.main.messages.append(number % 2 == 0 ? .session(Session(number)) : .connection(Connection()))
        if !leaks, Mailbox.main.messages.count > 5 { Mailbox.main.messages.removeFirst() }
    }
}

final class Notifier {
    // Safe: the one task that does the work touches it alone.
    nonisolated(unsafe) static let shared = Notifier()
    var observers: [() -> Void] = []
}

final class Screen {
    let pixels = [UInt8](repeating: 5, count: 3_000)
    func refresh() {}
}

@inline(never) func show(leaks: Bool) {
    let screen = Screen()
    Notifier.shared.observers.append { screen.refresh() }
    if !leaks { Notifier.shared.observers.removeLast() }
}

@Sendable func observers(leaks: Bool) async {
    for _ in 0..<rounds {
        show(leaks: leaks)
        pace()
    }
}

// MARK: - A list that only grows

final class Job {
    let input = [UInt8](repeating: 6, count: 3_000)
    var next: Job?
}

final class JobQueue {
    // Safe: the one task that does the work touches it alone.
    nonisolated(unsafe) static let shared = JobQueue()
    private var first: Job?
    private var last: Job?
    private var count = 0

    @inline(never) func append(keeping limit: Int) {
        let job = Job()
        last?.next = job
        last = job
        if first == nil { first = job }
        count += 1
        if count > limit {
            first = first?.next
            count -= 1
        }
    }
}

@Sendable func linkedList(leaks: Bool) async {
    for _ in 0..<rounds {
        JobQueue.shared.append(keeping: leaks ? .max : 5)
        pace()
    }
}
