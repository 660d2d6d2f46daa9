import NIOCore

/// One request on its way: from its scheduled time to its end.
struct Job {
    enum Origin {
        case preparation(step: Int)
        case stream(Int)
    }

    var origin: Origin
    var index: UInt64
    var target: Int
    var scheduled: NIODeadline
    /// On a connection of its own.
    var isAlone: Bool
}

/// Jobs waiting for a connection, first come first served.
struct JobQueue {
    private var jobs: [Job] = []
    private var head = 0

    var isEmpty: Bool { head == jobs.count }
    var count: Int { jobs.count - head }
    var first: Job? { isEmpty ? nil : jobs[head] }

    mutating func append(_ job: Job) {
        jobs.append(job)
    }

    mutating func removeFirst() {
        head += 1
        guard head > 1024, head * 2 > jobs.count else { return }
        jobs.removeFirst(head)
        head = 0
    }
}

/// Idle connections by the instant at which they may ask again: a binary heap. The one that rested longest comes first,
/// so every user gets a turn.
struct RestingQueue<Element> {
    private var entries: [(ready: NIODeadline, element: Element)] = []

    var isEmpty: Bool { entries.isEmpty }
    var earliest: NIODeadline? { entries.first?.ready }

    mutating func insert(_ element: Element, ready: NIODeadline) {
        entries.append((ready, element))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].ready < entries[parent].ready else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest when it is ready by `now`.
    mutating func popReady(by now: NIODeadline) -> Element? {
        guard let earliest, earliest <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        let element = entries.removeLast().element
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].ready < entries[smallest].ready { smallest = child }
            }
            guard smallest != parent else { return element }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
