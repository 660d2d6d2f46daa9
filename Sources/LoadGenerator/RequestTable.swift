/// The requests of a plan made ready, and their numbers in the report. Does not change while a run lasts.
struct RequestTable {
    private let preparation: [PreparedRequest]
    private let streams: [[PreparedRequest]]
    /// Number of each stream's first request among all.
    private let offsets: [Int]
    private let variables: [[FlowVariable]]
    /// Name of each request, in the order of their numbers.
    let names: [String]
    /// Whether runs through a stream have values of their own.
    let needsValues: [Bool]

    init(plan: LoadPlan) {
        let hosts = plan.targets.map(\.hostHeader)
        preparation = plan.preparation.map { PreparedRequest($0.request, hosts: hosts) }
        streams = plan.streams.map { stream in stream.requests.map { PreparedRequest($0, hosts: hosts) } }
        var offsets: [Int] = []
        var names: [String] = []
        for stream in plan.streams {
            offsets.append(names.count)
            names += stream.requests.map(\.name)
        }
        self.offsets = offsets
        self.names = names
        variables = plan.streams.map(\.variables)
        needsValues = plan.streams.map { stream in
            !stream.variables.isEmpty || stream.requests.contains { !$0.extractions.isEmpty }
        }
    }

    subscript(origin: Job.Origin) -> PreparedRequest {
        switch origin {
        case .preparation(let step): preparation[step]
        case .stream(let stream, let step): streams[stream][step]
        }
    }

    func number(_ stream: Int, _ step: Int) -> Int { offsets[stream] + step }

    /// Values of the variables for one run through a stream.
    func drawn(_ stream: Int, seed: UInt64, index: UInt64) -> [FlowValue] {
        var random = SeededRandom(
            seed: seed ^ 0x7661_7273_0000_0000 ^ UInt64(stream), part: Int(truncatingIfNeeded: index))
        return variables[stream].compactMap { variable in
            guard !variable.values.isEmpty else { return nil }
            let number = Int(random.next() % UInt64(variable.values.count))
            return FlowValue(name: variable.name, value: variable.values[number])
        }
    }
}

/// The users of a closed loop: how many there are and should be, and what each does next. Pure.
struct UserState {
    private let schedule: UserSchedule
    private let weights: [Double]
    private let total: Double
    private var random: SeededRandom
    private var indices: [UInt64]
    /// How many are at it.
    var active = 0

    init(plan: LoadPlan) {
        schedule = UserSchedule(steps: plan.loop == .closed ? plan.steps : [])
        weights = plan.streams.map(\.weight)
        total = weights.reduce(0, +)
        random = SeededRandom(seed: plan.seed, part: -3)
        indices = plan.streams.map { _ in 0 }
    }

    /// Nil when the schedule is over.
    func wanted(at seconds: Double) -> Int? { schedule.users(at: seconds) }

    /// A stream by its weight, and how often it was chosen before.
    mutating func choose() -> (stream: Int, index: UInt64) {
        var stream = 0
        if weights.count > 1 {
            var rest = random.fraction() * total
            while stream < weights.count - 1, rest >= weights[stream] {
                rest -= weights[stream]
                stream += 1
            }
        }
        defer { indices[stream] += 1 }
        return (stream, indices[stream])
    }
}

extension Job.Origin {
    /// Keeps the random numbers of different requests apart.
    var salt: UInt64 {
        switch self {
        case .preparation(let step): 0x7072_6570_0000_0000 | UInt64(step)
        case .stream(let stream, let step): 0x7374_7265_0000_0000 | UInt64(step) << 16 | UInt64(stream)
        }
    }
}

extension RequestOutcome {
    /// The service had a part in it: anything but a connection that was never made.
    var reachedService: Bool {
        switch self {
        case .answered: true
        case .failed(let kind, _, _): kind != .refused && kind != .notSent
        }
    }
}
