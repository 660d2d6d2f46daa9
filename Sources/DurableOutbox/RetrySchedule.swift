/// How long to wait after a failed attempt.
///
/// The wait before attempt n + 1 is drawn evenly between `floor` and `steps[n - 1]` ("full jitter"), so that many
/// messages that failed together do not come back together; with `jitter` below 1 only that part of the step is random.
package struct RetrySchedule: Hashable, Sendable {
    /// The longest wait after the first, second, … attempt. The last one repeats.
    package var steps: [Duration]
    /// 0: exactly the step; 1: anything up to it.
    package var jitter: Double
    /// No wait is shorter: a receiver that fails at once must not be asked in a tight loop.
    package var floor: Duration
    /// What a receiver asks for (Retry-After) counts up to here.
    package var longestWish: Duration

    package init(
        steps: [Duration], jitter: Double = 1, floor: Duration = .milliseconds(250),
        longestWish: Duration = .seconds(3600)
    ) {
        self.steps = steps
        self.jitter = min(max(jitter, 0), 1)
        self.floor = max(floor, .milliseconds(1))
        self.longestWish = longestWish
    }

    /// For what somebody waits for: 1, 2, 5, 10, 20, 30 s, then every minute. A wish counts up to two minutes.
    package static let pages = RetrySchedule(
        steps: [1, 2, 5, 10, 20, 30, 60].map { .seconds($0) }, longestWish: .seconds(120))

    /// The schedule that Standard Webhooks proposes, its first attempt being at once: 5 s, 5 min, 30 min, 2 h, 5 h, 10
    /// h, 14 h, 20 h, 24 h. A fifth of each wait is random. A wish counts up to a day.
    package static let standardWebhooks = RetrySchedule(
        steps: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map { .seconds($0) }, jitter: 0.2,
        longestWish: .seconds(86_400))

    /// The longest wait there can be, wishes included.
    package var longestWait: Duration { max(steps.max() ?? floor, longestWish, floor) }

    /// The wait after a failed attempt.
    /// - Parameters:
    ///   - attempt: which one failed, from 1.
    ///   - wish: what the receiver asked for. It lengthens the wait, never shortens it.
    package func wait(
        after attempt: Int, wish: Duration?, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let step = steps.isEmpty ? floor : max(steps[min(max(attempt, 1), steps.count) - 1], floor)
        let high = step.wholeMilliseconds
        let low = max(floor.wholeMilliseconds, high - Int64(Double(high) * jitter))
        let drawn = Duration.milliseconds(Int64.random(in: min(low, high)...high, using: &generator))
        guard let wish, wish > .zero else { return drawn }
        return max(drawn, min(wish, longestWish))
    }
}

extension Duration {
    /// Rounded up, so that nothing comes too early; bounded to about 292 million years.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : product.addingReportingOverflow(rest).partialValue
    }
}
