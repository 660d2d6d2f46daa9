/// Asks again and again until the answer is not nil: for processes, files and sockets that tell nobody when they are done.
///
/// Code that can tell (a stream, a continuation, a virtual clock) is awaited instead.
/// - Parameters:
///   - expected: what is waited for; it stands in the error.
///   - limit: real time. Generous is fine, a good run never uses it up.
/// - Throws: `DeadlinePassed`, with the last error of the probe when it threw.
package func eventually<Value>(
    _ expected: String, within limit: Duration = .seconds(20), _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    var lastError: (any Error)?
    var pause = Duration.milliseconds(2)
    repeat {
        do {
            if let value = try await probe() { return value }
            lastError = nil
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            lastError = error
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(50))
    } while ContinuousClock.now < deadline
    throw DeadlinePassed(expected: expected, limit: limit, lastError: lastError)
}

/// The same for a condition.
package func eventually(
    _ expected: String, within limit: Duration = .seconds(20), holds condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(expected, within: limit) { try await condition() ? true : nil }
}

/// Runs `body` and cancels it when it takes too long: for code that tells when it is done, but might never be.
///
/// `body` must answer to cancellation, as everything that awaits an event should.
/// - Throws: `DeadlinePassed`, or what `body` throws.
package func withDeadline<Value: Sendable>(
    _ expected: String, within limit: Duration = .seconds(20), _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() ?? nil else {
            throw DeadlinePassed(expected: expected, limit: limit, lastError: nil)
        }
        return value
    }
}

/// What was waited for did not come.
package struct DeadlinePassed: Error, CustomStringConvertible {
    package var expected: String
    package var limit: Duration
    package var lastError: (any Error)?

    package var description: String {
        "waited \(limit) in vain: \(expected)" + (lastError.map { "; last error: \($0)" } ?? "")
    }
}
