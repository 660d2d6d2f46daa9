import Glibc
import Synchronization
import Testing

/// Runs a property once for each of `count` seeds, in order, and stops at the first seed that fails.
///
/// Every failed expectation inside carries its seed. To repeat that one run alone, set `OAKUM_SEED` to it.
/// - Throws: `SeedFailure` when the property throws; it names the seed too.
package func forAll(
    seeds count: UInt64 = 100, _ property: @escaping (inout SeededGenerator) async throws -> Void
) async throws {
    let seeds = chosenSeed().map { $0...$0 } ?? 1...max(1, count)
    for seed in seeds {
        guard try await holds(seed, property) else { return }
    }
}

/// The property threw under this seed.
package struct SeedFailure: Error, CustomStringConvertible {
    package var seed: UInt64
    package var error: any Error

    package var description: String { "with OAKUM_SEED=\(seed): \(error)" }
}

private func chosenSeed() -> UInt64? {
    getenv("OAKUM_SEED").flatMap { UInt64(String(cString: $0)) }
}

private func holds(
    _ seed: UInt64, _ property: @escaping (inout SeededGenerator) async throws -> Void
) async throws -> Bool {
    let failed = Mutex(false)
    // Safe: `provideScope` calls its closure once, within this call, and nothing else touches the property meanwhile.
    nonisolated(unsafe) let property = property
    let run: @Sendable () async throws -> Void = {
        var generator = SeededGenerator(seed: seed)
        do {
            try await property(&generator)
        } catch {
            throw SeedFailure(seed: seed, error: error)
        }
    }
    guard let test = Test.current else {
        try await run()
        return true
    }
    let naming = IssueHandlingTrait.compactMapIssues { issue in
        failed.withLock { $0 = true }
        var issue = issue
        issue.comments.append(Comment(rawValue: "to repeat: OAKUM_SEED=\(seed)"))
        return issue
    }
    try await naming.provideScope(for: test, testCase: Test.Case.current, performing: run)
    return !failed.withLock { $0 }
}
