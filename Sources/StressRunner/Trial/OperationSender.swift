import Dispatch
import Foundation
import Glibc
import LeakTrial
import LoadGenerator
import Spawning
import Synchronization

/// What became of a cycle's operations.
struct CycleOutcome: Hashable, Sendable {
    var sent: UInt64
    var expected: UInt64
    var seconds: Double
    var notes: [String] = []
}

/// Carries out an endpoint's operations on a running program.
protocol OperationSending: Sendable {
    /// Nothing is sent twice. Returns when every answer is there.
    func send(_ count: Int, arm: Arm) async throws(StressProblem) -> CycleOutcome
}

/// Requests over HTTP.
struct RequestSender: OperationSending {
    let sender: BatchSender
    let requests: [RequestTemplate]
    let connections: Int
    /// So many different keys in the arm of the same keys.
    static let pool = 64

    func send(_ count: Int, arm: Arm) async throws(StressProblem) -> CycleOutcome {
        let batch = RequestBatch(
            requests: requests, count: count, connections: connections,
            keys: arm == .freshKeys ? .fresh : .pool(Self.pool))
        let outcome: BatchOutcome
        do throws(LoadError) {
            outcome = try await sender.send(batch)
        } catch {
            throw error == .cancelled ? .cancelled : .setUp(error.message)
        }
        return CycleOutcome(
            sent: outcome.sent, expected: outcome.ok, seconds: outcome.seconds, notes: outcome.notes)
    }
}

/// A command for each operation, or for each cycle.
final class CommandSender: OperationSending {
    let words: [String]
    let variables: [String: String]
    let environment: [String: String]
    let logPath: String
    /// Fresh keys that were dealt: none comes twice.
    private let dealt = Atomic<UInt64>(0)

    init(words: [String], variables: [String: String], environment: [String: String], logPath: String) {
        (self.words, self.variables, self.environment, self.logPath) = (words, variables, environment, logPath)
    }

    func send(_ count: Int, arm: Arm) async throws(StressProblem) -> CycleOutcome {
        let clock = ContinuousClock()
        let begin = clock.now
        let atOnce = words.contains { $0.contains("{{count}}") }
        var expected: UInt64 = 0
        var notes: [String] = []
        for index in 0..<(atOnce ? 1 : count) {
            if Task.isCancelled { throw .cancelled }
            let number =
                arm == .freshKeys
                ? 1_000_000 + dealt.add(1, ordering: .relaxed).newValue : UInt64(index % RequestSender.pool)
            var filled = variables
            filled["count"] = "\(count)"
            filled["key"] = "k\(number)"
            filled["seed"] = arm == .freshKeys ? "\(number)" : "1"
            var words = RunningTarget.fill(words, filled)
            words[0] = try RunningTarget.program(words[0])
            let exit = try await run(words)
            if exit == .code(0) {
                expected += atOnce ? UInt64(count) : 1
            } else if notes.count < 5 {
                notes.append(
                    "`\(words.joined(separator: " "))` ended with \(exit.map { "\($0)" } ?? "no exit within 60 s")")
            }
        }
        let spent = begin.duration(to: clock.now).components
        return CycleOutcome(
            sent: UInt64(count), expected: expected, seconds: Double(spent.seconds) + Double(spent.attoseconds) / 1e18,
            notes: notes)
    }

    private func run(_ words: [String]) async throws(StressProblem) -> SpawnedProcess.Exit? {
        let process: SpawnedProcess
        do throws(SpawnError) {
            process = try SpawnedProcess(
                words, environment: environment.mapValues { Optional($0) }, outputPath: logPath)
        } catch {
            throw .setUp(error.reason)
        }
        // Ctrl-C does not wait for a command that is stuck.
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    let exit = process.waitForExit(milliseconds: 60_000)
                    if exit == nil { process.killGroup() }
                    continuation.resume(returning: exit)
                }
            }
        } onCancel: {
            process.send(SIGKILL)
        }
    }
}
