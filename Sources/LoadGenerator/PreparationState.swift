/// Which preparation request comes next: step after step, each with its own limit of requests under way.
struct PreparationState {
    private let steps: [PreparationStep]
    private var step = 0
    private var issued = 0
    private var underWay = 0
    private(set) var done = 0

    init(steps: [PreparationStep]) {
        self.steps = steps
    }

    var total: Int { steps.reduce(0) { $0 + $1.count } }
    var isDone: Bool { done == total }

    /// The next request when one may be sent now. A step begins when all requests of the one before have ended.
    mutating func next() -> (step: Int, index: UInt64)? {
        while step < steps.count, issued == steps[step].count {
            guard underWay == 0 else { return nil }
            step += 1
            issued = 0
        }
        guard step < steps.count, underWay < steps[step].concurrency else { return nil }
        defer {
            issued += 1
            underWay += 1
        }
        return (step, UInt64(issued))
    }

    mutating func ended() {
        underWay -= 1
        done += 1
    }
}
