import Glibc

/// When one request is due.
package struct Arrival: Hashable, Sendable {
    /// Nanoseconds after the start of the schedule.
    package var offsetNanoseconds: Int64
    /// Which stream of the plan.
    package var stream: Int
    /// How many requests of this stream came before, over all steps.
    package var index: UInt64

    package init(offsetNanoseconds: Int64, stream: Int, index: UInt64) {
        self.offsetNanoseconds = offsetNanoseconds
        self.stream = stream
        self.index = index
    }
}

/// The whole schedule of an open loop, drawn lazily: the same plan and seed give the same arrivals, whatever the servers
/// do.
///
/// Memory does not depend on the length. A Poisson stream draws exponential gaps and starts anew at each step, which is
/// exact because the exponential law has no memory; a uniform stream sends at fixed gaps, the first half a gap in. While
/// a rate changes, gaps are drawn in expected requests and turned into time through the integral of the rate (Çinlar's
/// inversion method).
package struct ArrivalSchedule: Sequence, IteratorProtocol, Sendable {
    private struct Stream: Sendable {
        var arrivals: ArrivalPattern
        var random: SeededRandom
        var index: UInt64 = 0
        /// Requests expected from the beginning of the step to the next arrival.
        var expected = 0.0
        /// Seconds after the start of the current step; infinite when the stream rests in this step.
        var next = Double.infinity
    }

    private let steps: [LoadStep]
    private var streams: [Stream]
    private var step = -1
    private var stepStart = 0.0

    package init(plan: LoadPlan) {
        steps = plan.loop == .open ? plan.steps : []
        streams = plan.streams.enumerated().map { part, stream in
            Stream(arrivals: stream.arrivals, random: SeededRandom(seed: plan.seed, part: part))
        }
    }

    package mutating func next() -> Arrival? {
        while step < steps.count {
            if step >= 0, let earliest = earliestStream(), streams[earliest].next < steps[step].seconds {
                return take(earliest)
            }
            enterNextStep()
        }
        return nil
    }

    private func earliestStream() -> Int? {
        streams.indices.min { streams[$0].next < streams[$1].next }
    }

    private mutating func take(_ number: Int) -> Arrival {
        let offset = stepStart + streams[number].next
        let arrival = Arrival(
            offsetNanoseconds: Int64(offset * 1e9), stream: number, index: streams[number].index)
        streams[number].index += 1
        streams[number].expected += gap(of: number)
        streams[number].next = time(of: streams[number].expected, number)
        return arrival
    }

    private mutating func enterNextStep() {
        if step >= 0 { stepStart += steps[step].seconds }
        step += 1
        guard step < steps.count else { return }
        for number in streams.indices {
            let first = gap(of: number)
            streams[number].expected = streams[number].arrivals == .uniform ? first / 2 : first
            streams[number].next = time(of: streams[number].expected, number)
        }
    }

    /// In expected requests.
    private mutating func gap(of number: Int) -> Double {
        switch streams[number].arrivals {
        case .uniform: 1
        case .poisson: -log(1 - streams[number].random.fraction())
        }
    }

    /// Seconds into the step until so many requests are expected: solves first·t + (last − first)/(2·length)·t² =
    /// expected. Infinite when they never are within the step.
    private func time(of expected: Double, _ number: Int) -> Double {
        let now = steps[step]
        let first = now.perSecond[number]
        let last = now.perSecondAtEnd?[number] ?? first
        guard first != last else { return first > 0 ? expected / first : .infinity }
        let curvature = (last - first) / now.seconds
        let root = first * first + 2 * curvature * expected
        guard root > 0 else { return .infinity }
        // The form that loses no digits when the rate hardly changes.
        return 2 * expected / (first + root.squareRoot())
    }
}

/// How many users a closed loop has at a moment. Pure.
struct UserSchedule {
    private let steps: [LoadStep]

    init(steps: [LoadStep]) {
        self.steps = steps
    }

    /// Users at `seconds` after the start; nil when the schedule is over.
    func users(at seconds: Double) -> Int? {
        var start = 0.0
        for step in steps {
            let into = seconds - start
            if into < step.seconds {
                let last = step.usersAtEnd ?? step.users
                let share = max(into, 0) / step.seconds
                return Int((Double(step.users) + Double(last - step.users) * share).rounded())
            }
            start += step.seconds
        }
        return nil
    }

    /// The most there ever are.
    var most: Int { steps.map { max($0.users, $0.usersAtEnd ?? 0) }.max() ?? 0 }
}
