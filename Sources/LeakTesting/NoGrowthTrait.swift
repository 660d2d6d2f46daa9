public import Testing

/// Runs a test again and again, and expects that its memory does not grow: each run is a call of `expectNoGrowth`.
///
/// ```swift
/// @Test(.noGrowth) func `a session leaves nothing behind`() async throws { … }
/// ```
public struct NoGrowthTrait: TestTrait, SuiteTrait, TestScoping {
    /// What is measured, and what is held to be growth.
    public var limits: GrowthLimits

    /// Tests of a suite, and of suites in it, are measured one by one.
    public var isRecursive: Bool { true }

    /// Measures one test, with its arguments.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        // A test of a measured suite may have the trait too: it is measured once, by its own limits, which come last.
        guard testCase != nil, MeasuredWork.number == 0 else { return try await function() }
        let own = test.traits.compactMap { $0 as? NoGrowthTrait }.last
        let report = try await measureGrowth(own?.limits ?? limits) { try await function() }
        report.record(test.sourceLocation)
    }
}

extension Trait where Self == NoGrowthTrait {
    /// Runs the test some hundred times, and expects that its memory does not grow.
    public static var noGrowth: Self { Self(limits: GrowthLimits()) }

    /// Runs the test again and again, and expects that its memory does not grow.
    ///
    /// - Parameters:
    ///   - calls: runs of the first of the rounds, each of which makes twice as many as the one before.
    ///   - warmUp: runs before the first round.
    ///   - bytes: growth per run up to this is none.
    public static func noGrowth(
        calls: Int = 100, warmUp: Int = 10, toleratingBytesPerCall bytes: Double = 1
    ) -> Self {
        Self(limits: GrowthLimits(calls: calls, warmUp: warmUp, toleratedBytesPerCall: bytes))
    }
}
