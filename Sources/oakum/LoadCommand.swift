import ArgumentParser
import Dispatch
import Foundation
import LoadGenerator
import Synchronization

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads a service over HTTP and says how it fares, with its memory beside it.",
        discussion: """
            Examples:
              oakum load http://127.0.0.1:8080/ --rate 500/s --duration 30s
              oakum load http://127.0.0.1:8080/ --connections 64 --duration 10s     as fast as the answers come
              oakum load visitors.yaml --threshold 'p99 < 200ms' --threshold 'errors < 0.1%'
              oakum load http://127.0.0.1:8080 --from-openapi openapi.json --rate 100/s --ramp 30s --duration 5min
              oakum load http://127.0.0.1:8080 --from-access-log access.log --rate 50/s --duration 1h \\
                  --memory-of 4711 --threshold 'memory_growth < 10MiB' --html soak.html --junit soak.xml
              oakum load http://localhost/status --unix /run/web.sock

            With a rate the loop is open: requests go out when they are due, whatever the service does, and latency \
            counts from that moment, so that a pause of the service shows in full. Without one, --connections users \
            ask again when they have their answer. Nothing is ever sent twice. Progress goes to standard error; Ctrl-C \
            ends the schedule and reports what was sent. docs/load.md tells what a scenario can say.

            Exit codes: 0 measured, and every threshold holds; 1 a threshold is crossed; 3 no evidence (the generator \
            was at its limit, the target restarted, too few answers); 4 nothing measured: not one answer; 5 it could \
            not be set up; 130 or 143 interrupted.
            """)

    @OptionGroup var options: LoadOptions
    @Option(help: "Read the memory of this process, for thresholds and plots. Can be repeated: the sum counts.")
    var memoryOf: [Int32] = []
    @Flag(help: "Print the outcome as JSON.") var json = false
    @Option(help: "Write a page with plots here; it needs nothing else.") var html: String?
    @Option(help: "Write JUnit XML here: a test case for each threshold.") var junit: String?
    @Flag(help: "Read and check what was asked for, send nothing.") var check = false

    func run() async throws {
        let outcome: LoadOutcome
        let signal: Int32?
        do {
            let scenario = try options.scenario()
            if scenario.thresholds.contains(where: \.isAboutMemory), memoryOf.isEmpty {
                throw LoadSetupError("a threshold is about memory: say whose with --memory-of PID")
            }
            let plan = scenario.plan(seed: 1, freshSalt: options.seed ?? scenario.seed ?? UInt64.random(in: 0 ... .max))
            if let problem = plan.problem { throw LoadSetupError(problem) }
            guard !check else { return Terminal.line("\(options.source) is fine: \(scenario.loadInWords)") }
            (outcome, signal) = try await measure(scenario, plan)
        } catch {
            Terminal.complain((error as? LoadSetupError)?.message ?? (error as? LoadError)?.message ?? "\(error)")
            throw ExitCode(5)
        }
        // First what took long to measure: a file that cannot be written must not lose it.
        json ? try Terminal.json(outcome) : Terminal.line(LoadText.render(outcome))
        try write(LoadHTML.render(outcome), to: html)
        try write(LoadJUnit.render(outcome), to: junit)
        if let signal { throw ExitCode(128 + signal) }
        guard outcome.judgement.verdict == .passed else { throw ExitCode(outcome.judgement.verdict.exitCode) }
    }

    private func measure(_ scenario: LoadScenario, _ plan: LoadPlan) async throws -> (LoadOutcome, Int32?) {
        Self.raiseFileLimit()
        let session = try LoadSession(plan, memoryOf: memoryOf)
        let startedAt = Date()
        let progress = LoadProgressLine(isTerminal: isatty(STDERR_FILENO) == 1, seconds: plan.seconds)
        let interrupts = LoadInterrupts { session.endEarly() }
        defer { interrupts.stop() }
        let (report, memory) = try await session.run { snapshot, bytes in progress.tell(snapshot, bytes) }
        progress.finish()
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss 'UTC'"
        let judgement = LoadJudgement(
            report, loop: scenario.loop, thresholds: scenario.thresholds, memory: memory)
        let outcome = LoadOutcome(
            name: scenario.name, targets: scenario.targets.map(\.description), load: scenario.loadInWords,
            loop: scenario.loop, startedAt: formatter.string(from: startedAt), seed: plan.seed, report: report,
            memory: memory, judgement: judgement)
        return (outcome, interrupts.received)
    }

    /// Each connection is a descriptor: as many as the hard limit allows. Where that fails, `not_sent` tells.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private func write(_ text: String, to path: String?) throws {
        guard let path else { return }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            Terminal.complain("\(path) cannot be written: \(error.localizedDescription)")
            throw ExitCode(5)
        }
    }
}

/// The line of progress: rewritten on a terminal, a new one every ten seconds elsewhere.
private final class LoadProgressLine: Sendable {
    private let isTerminal: Bool
    private let seconds: Double
    private let lastWritten = Mutex(-10.0)

    init(isTerminal: Bool, seconds: Double) {
        self.isTerminal = isTerminal
        self.seconds = seconds
    }

    func tell(_ snapshot: LoadSnapshot, _ bytes: UInt64?) {
        let text = LoadText.progress(snapshot, of: seconds, memoryBytes: bytes)
        guard !isTerminal else { return FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8)) }
        let isDue = lastWritten.withLock { last in
            guard snapshot.phase == .sending, snapshot.seconds - last >= 10 else { return false }
            last = snapshot.seconds
            return true
        }
        if isDue { Terminal.note(text) }
    }

    func finish() {
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }
}

/// The first Ctrl-C or SIGTERM ends the schedule; a second one ends the program.
private struct LoadInterrupts {
    private final class First: Sendable {
        private let signal = Mutex<Int32?>(nil)

        var value: Int32? { signal.withLock(\.self) }

        /// False when there was one before.
        func set(_ number: Int32) -> Bool {
            signal.withLock { signal in
                guard signal == nil else { return false }
                signal = number
                return true
            }
        }
    }

    private let first = First()
    private let sources: [any DispatchSourceSignal]

    var received: Int32? { first.value }

    init(_ act: @escaping @Sendable () -> Void) {
        let first = first
        sources = [SIGINT, SIGTERM].map { number in
            // A dispatch source only sees signals whose default action is off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                guard first.set(number) else { exit(128 + number) }
                act()
            }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
    }
}
