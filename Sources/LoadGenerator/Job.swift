/// One request on its way: from its scheduled time to its end.
struct Job {
    /// Which request: of the preparation, or of a stream.
    enum Origin {
        case preparation(step: Int)
        case stream(Int, step: Int)
    }

    var origin: Origin
    /// How many of its kind came before.
    var index: UInt64
    var target: Int
    /// Nanoseconds of the monotonic clock.
    var scheduled: Int64
    /// On a connection of its own.
    var isAlone: Bool
    /// Number of the run through a stream; what its keys are made from.
    var run: UInt64 = 0
    /// Place of its values in `FlowTable`; nil when it has none.
    var values: Int?
    /// Closed loop: of one of the users.
    var isOfUser = false
}

/// Makes jobs: gives each its target in turn and its number. Pure.
struct JobMaker {
    private let isAlone: [Bool]
    private let targets: Int
    private var turn = 0
    /// Runs through streams so far.
    private(set) var begun: UInt64 = 0

    init(plan: LoadPlan) {
        isAlone = plan.streams.map(\.newConnectionEach)
        targets = plan.targets.count
    }

    /// The first request of a run through a stream.
    mutating func first(of stream: Int, index: UInt64, scheduled: Int64) -> Job {
        defer { begun += 1 }
        return Job(
            origin: .stream(stream, step: 0), index: index, target: nextTarget(), scheduled: scheduled,
            isAlone: isAlone[stream], run: begun)
    }

    /// Keys of the preparation are apart from those of the run.
    mutating func preparation(step: Int, index: UInt64, scheduled: Int64) -> Job {
        Job(
            origin: .preparation(step: step), index: index, target: nextTarget(), scheduled: scheduled,
            isAlone: false, run: 1 << 63 | UInt64(step) << 48 | index)
    }

    private mutating func nextTarget() -> Int {
        guard targets > 1 else { return 0 }
        defer { turn = (turn + 1) % targets }
        return turn
    }
}

/// Jobs waiting, first come first served.
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
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1024, head * 2 > jobs.count {
            jobs.removeFirst(head)
            head = 0
        }
    }
}

/// What becomes ready at a later instant (nanoseconds), idle connections for example: a binary heap. What rested longest
/// comes first, so every user gets a turn.
struct RestingQueue<Element> {
    private var entries: [(ready: Int64, element: Element)] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    var earliest: Int64? { entries.first?.ready }

    mutating func insert(_ element: Element, ready: Int64) {
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
    mutating func popReady(by now: Int64) -> Element? {
        guard let earliest, earliest <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        let element = entries.removeLast().element
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { return element }
            let right = left + 1
            let child = right < entries.count && entries[right].ready < entries[left].ready ? right : left
            guard entries[child].ready < entries[parent].ready else { return element }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}

/// The values of runs through streams that are under way. Places are used again; at most as many as runs under way.
struct FlowTable {
    private var values: [[FlowValue]] = []
    private var free: [Int] = []

    mutating func add(_ first: [FlowValue]) -> Int {
        guard let place = free.popLast() else {
            values.append(first)
            return values.count - 1
        }
        values[place] = first
        return place
    }

    subscript(place: Int) -> [FlowValue] {
        get { values[place] }
        set { values[place] = newValue }
    }

    mutating func remove(_ place: Int) {
        values[place] = []
        free.append(place)
    }
}
