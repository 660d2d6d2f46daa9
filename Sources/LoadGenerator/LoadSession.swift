import CLinux
import Glibc
import ProcessReadings

/// A run with its target's memory beside it.
package struct LoadSession: Sendable {
    private let run: LoadRun
    private let watched: [WatchedProcess]

    /// - Parameter processes: whose resident memory is read, summed up: a service and its workers.
    /// - Throws: `LoadError.failed` when one of them is not there or may not be read.
    package init(_ plan: LoadPlan, memoryOf processes: [Int32] = []) throws(LoadError) {
        run = LoadRun(plan)
        var watched: [WatchedProcess] = []
        for pid in processes {
            let ticks = linux_start_ticks(pid)
            guard ticks > 0 else { throw .failed("there is no process \(pid) to read the memory of") }
            watched.append(WatchedProcess(pid: pid, startTicks: ticks))
        }
        self.watched = watched
    }

    /// Ends the schedule now; there is a report of what was sent.
    package func endEarly() {
        run.endEarly()
    }

    /// Runs to the end. Cancelling ends it at once, without a report.
    /// - Parameter tell: gets, four times a second, where the run stands, and the target's memory in bytes.
    package func run(
        tell: @Sendable @escaping (LoadSnapshot, UInt64?) -> Void
    ) async throws(LoadError) -> (report: LoadReport, memory: TargetMemory?) {
        enum Part: Sendable {
            case report(Result<LoadReport, LoadError>)
            case memory(TargetMemory?)
        }
        let (run, watched) = (run, watched)
        let isOver = StopFlag()
        var report: Result<LoadReport, LoadError> = .failure(.cancelled)
        var memory: TargetMemory?
        await withTaskGroup(of: Part.self) { group in
            group.addTask {
                do throws(LoadError) {
                    return .report(.success(try await run.run()))
                } catch {
                    return .report(.failure(error))
                }
            }
            group.addTask {
                var watcher = MemoryWatcher(watched)
                while !isOver.isSet, !Task.isCancelled {
                    let snapshot = run.snapshot
                    let bytes = watcher?.look(at: snapshot)
                    tell(snapshot, bytes)
                    // Cancelled: the run is over, and so is the watch.
                    try? await Task.sleep(for: .milliseconds(250))
                }
                return .memory(watcher?.memory)
            }
            for await part in group {
                switch part {
                case .report(let result):
                    report = result
                    isOver.set()
                    group.cancelAll()
                case .memory(let result): memory = result
                }
            }
        }
        return (try report.get(), memory)
    }
}

/// A process, by pid and start time: a pid alone may be another one's tomorrow.
struct WatchedProcess: Hashable, Sendable {
    var pid: Int32
    var startTicks: UInt64
}

/// Reads the memory of the watched processes while the load is on.
private struct MemoryWatcher {
    private let processes: [ProcessReader]
    private var buffer = [UInt8](repeating: 0, count: 4_096)
    private(set) var memory = TargetMemory()

    /// Nil when there is nothing to watch.
    init?(_ watched: [WatchedProcess]) {
        guard !watched.isEmpty else { return nil }
        var scratch = [UInt8](repeating: 0, count: 4_096)
        processes = watched.compactMap { ProcessReader(pid: $0.pid, startTicks: $0.startTicks, buffer: &scratch) }
        if processes.count < watched.count { memory.lost = "a process ended before the first request" }
    }

    /// The sum in bytes; nil once a process is gone.
    mutating func look(at snapshot: LoadSnapshot) -> UInt64? {
        guard memory.lost == nil else { return nil }
        var pages: UInt64 = 0
        for process in processes {
            guard let reading = process.read(&buffer) else {
                let moment = Figures.number(snapshot.seconds, places: 1)
                memory.lost = "process \(process.pid) had ended \(moment) s into the run"
                return nil
            }
            pages += reading.memory.residentPages
        }
        let bytes = pages * Machine.pageBytes
        if snapshot.phase == .sending {
            memory.add(TargetMemory.Sample(seconds: snapshot.seconds, residentBytes: bytes))
        }
        return bytes
    }
}
