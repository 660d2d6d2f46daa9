import OakumTestKit
import RegistrationCore
import RegistrationHTTP
import Testing

@Suite(.timeLimit(.minutes(10))) struct HashingPoolTests {
    static let cheap = HashCost(memoryKiB: 64, passes: 1)
    /// Tens of milliseconds, so that what waits really waits.
    static let slow = HashCost(memoryKiB: 16 * 1024, passes: 3)

    func pool(_ cost: HashCost = cheap, slots: Int = 2, wait: Duration = .seconds(60)) throws -> HashingPool {
        let settings = HashingSettings(cost: cost, slots: slots, cores: 2, longestWait: wait)
        return try HashingPool(settings: settings, sodium: try Sodium())
    }

    func password(_ text: String) throws -> Password {
        try PasswordPolicy().newPassword(text, normalise: normalisedToNFC)
    }

    @Test func `a password matches its own hash, and nothing else does`() async throws {
        let pool = try pool()
        let good = try password("correct horse battery")
        let hash = try await pool.hash(good)
        #expect(hash.phc.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
        #expect(try await pool.matches(good, phc: hash.phc))
        #expect(try await !pool.matches(try password("correct horse batterx"), phc: hash.phc))
        let empty = try PasswordPolicy().enteredPassword("", normalise: { $0 })
        #expect(try await !pool.matches(empty, phc: hash.phc))
        #expect(try await !pool.matches(good, phc: nil))
        #expect(try await pool.hash(good).phc != hash.phc, "every hash has its own salt")
    }

    @Test func `a hash that another program made is verified`() async throws {
        // From the argon2 command of Debian 12: echo -n 'correct horse battery' | argon2 somesaltsomesalt -id -t 2 -k 256 -p 1 -e
        let foreign =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$128dXHbpND/ejgFQ9JJYHDD7w0meEN4m07Qzyeoko2E"
        let pool = try pool()
        #expect(try await pool.matches(try password("correct horse battery"), phc: foreign))
        #expect(try await !pool.matches(try password("correct horse batterx"), phc: foreign))
    }

    @Test func `a stored hash that asks for too much is never computed`() async throws {
        let pool = try pool()
        let good = try password("correct horse battery")
        let hash = try await pool.hash(good).phc
        let bombs = [
            hash.replacing("m=64", with: "m=4194304"), hash.replacing("t=1", with: "t=1000"), "plain text", "",
            hash.replacing("p=1", with: "p=4"),
        ]
        for bomb in bombs {
            let began = ContinuousClock.now
            #expect(try await !pool.matches(good, phc: bomb))
            #expect(began.duration(to: .now) < .seconds(20))
        }
        #expect(pool.statistics.unverifiable == bombs.count)
        #expect(pool.statistics.work.counts.reduce(0, +) == bombs.count + 1, "each cost the work of an ordinary hash")
    }

    @Test func `no more run at once than there are slots, and everybody gets an answer`() async throws {
        let pool = try pool(slots: 2)
        let good = try password("correct horse battery")
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    _ = try await pool.hash(good)
                    return pool.statistics.running
                }
            }
            for try await running in group { #expect(running <= 2) }
        }
        let statistics = pool.statistics
        #expect(statistics.running == 0)
        #expect(statistics.waiting == 0)
        #expect(statistics.work.counts.reduce(0, +) == 100)
        #expect(statistics.wait.counts.reduce(0, +) == 100)
    }

    @Test func `a flood of sign-ups gets refusals with a time, and does not shut out logins`() async throws {
        let pool = try pool(Self.slow, slots: 1, wait: .seconds(1))
        let good = try password("correct horse battery")
        let stored = try await pool.hash(good).phc
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<300 {
                group.addTask {
                    do throws(HashingError) {
                        _ = try await pool.hash(good)
                        return true
                    } catch {
                        guard case .busy(let retryAfter) = error else { throw error }
                        #expect(retryAfter > .zero)
                        return false
                    }
                }
            }
            // The room is full of sign-ups now, or was: refusals have begun.
            try await eventually("the flood to overflow", holds: { !pool.statistics.refused.isEmpty })
            for _ in 0..<5 { #expect(try await pool.matches(good, phc: stored)) }
            var answers: [Bool: Int] = [:]
            for try await served in group { answers[served, default: 0] += 1 }
            #expect(answers[false, default: 0] > 0)
            #expect(answers.values.reduce(0, +) == 300)
        }
    }

    @Test func `a task that is cancelled while it waits leaves the queue`() async throws {
        let pool = try pool(HashCost(memoryKiB: 64 * 1024, passes: 40), slots: 1)
        let good = try password("correct horse battery")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await pool.hash(good) }
            try await eventually("the slot to be taken", holds: { pool.statistics.running == 1 })
            group.addTask {
                await #expect(throws: HashingError.cancelled) { try await pool.matches(good, phc: nil) }
            }
            try await eventually("the second to wait", holds: { pool.statistics.waiting == 1 })
            group.cancelAll()
            try await eventually("the second to leave", holds: { pool.statistics.waiting == 0 })
            try await group.waitForAll()
        }
        #expect(pool.statistics.cancelled == 1)
    }

    @Test func `a task that is cancelled before it comes never waits`() async throws {
        let pool = try pool()
        let good = try password("correct horse battery")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                await #expect(throws: HashingError.cancelled) { try await pool.hash(good) }
            }
            try await group.waitForAll()
        }
        #expect(pool.statistics.work.counts.reduce(0, +) == 0)
    }

    @Test func `a closed pool refuses`() async throws {
        let pool = try pool()
        pool.close()
        let good = try password("correct horse battery")
        await #expect(throws: HashingError.self) { try await pool.hash(good) }
    }

    @Test func `a cost that cannot work is told at the start`() {
        let impossible = HashCost(memoryKiB: 64, passes: 0)
        #expect(throws: HashingSetUpError.costUnusable(impossible)) { try pool(impossible) }
    }

    @Test func `slots follow cores and budget, and the limit of stored hashes follows the slots`() {
        let mebibyte = 1024 * 1024
        func settings(_ memory: Int, slots: Int? = nil, cores: Int, budget: Int) -> HashingSettings {
            HashingSettings(
                cost: HashCost(memoryKiB: memory * 1024, passes: 2), slots: slots, cores: cores,
                budgetBytes: budget * mebibyte)
        }
        #expect(settings(19, cores: 2, budget: 128).slots == 2)
        #expect(settings(19, cores: 64, budget: 128).slots == 6)
        #expect(settings(200, cores: 64, budget: 128).slots == 1)
        #expect(settings(19, slots: 3, cores: 64, budget: 128).slots == 3)
        #expect(settings(19, cores: 2, budget: 128).costLimit.memoryKiB == 64 * 1024)
        for cores in [1, 2, 8, 64] {
            let settings = settings(19, cores: cores, budget: 128)
            #expect(settings.memoryBoundBytes <= 128 * mebibyte)
            #expect(settings.costLimit.memoryKiB >= settings.cost.memoryKiB)
        }
        #expect(settings(200, cores: 4, budget: 128).memoryBoundBytes == 200 * mebibyte)
    }
}
