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

/// The whole schedule of a plan, drawn lazily: the same plan and seed give the same arrivals, whatever the servers do.
///
/// Memory does not depend on the length. A Poisson stream draws exponential gaps and starts anew at each step, which is
/// exact because the exponential law has no memory; a uniform stream sends at fixed gaps, the first half a gap in.
package struct ArrivalSchedule: Sequence, IteratorProtocol, Sendable {
    private struct Stream: Sendable {
        var arrivals: ArrivalPattern
        var random: SeededRandom
        var index: UInt64 = 0
        /// Seconds after the start of the current step; infinite when the stream rests in this step.
        var next = Double.infinity
    }

    private let steps: [LoadStep]
    private var streams: [Stream]
    private var step = -1
    private var stepStart = 0.0

    package init(plan: LoadPlan) {
        steps = plan.steps
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
        streams[number].next += gap(of: number)
        return arrival
    }

    private mutating func enterNextStep() {
        if step >= 0 { stepStart += steps[step].seconds }
        step += 1
        guard step < steps.count else { return }
        for number in streams.indices {
            let first = gap(of: number)
            streams[number].next = streams[number].arrivals == .uniform ? first / 2 : first
        }
    }

    private mutating func gap(of number: Int) -> Double {
        let rate = steps[step].perSecond[number]
        guard rate > 0 else { return .infinity }
        switch streams[number].arrivals {
        case .uniform: return 1 / rate
        case .poisson: return -log(1 - streams[number].random.fraction()) / rate
        }
    }
}
