import CLinux
import Foundation
import OakumAPI
import OakumEngine
import OakumModel
import ProcessReadings
import Spawning

/// Names what leaks in workers that carry the sampler.
///
/// The look itself is a process of its own (`oakum evidence`, `oakum look`, `oakum keep-bases`): what it takes of memory goes back at its end, and a heap
/// that ends its reader does not end `oakum up`.
struct HeapExaminer: HeapWitness {
    /// Beyond what the look allows itself, milliseconds.
    private static let patience = 12_000 as Int32
    /// The same for a person, for whom no recycle waits.
    private static let lookPatience = 18_000 as Int32
    private static let answerLimit = 1 << 20
    private static let viewLimit = 4 << 20
    private static let fileLimit = 16 << 20
    /// Heaps of which an earlier moment is kept in one round; the others follow a minute later.
    private static let basesAtOnce = 64

    /// `oakum`'s own executable.
    let program: String
    /// By service.
    let files: [String: HeapFiles]
    /// Where symbols are looked for first.
    let symbolFolders: [String]

    @concurrent
    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination {
        guard let files = files[worker.service] else { return .nothing("its service carries no sampler") }
        let path = files.path(pid: process.pid)
        switch await run(
            [program, "evidence"] + Self.words(path, process), output: path + ".evidence", limit: Self.answerLimit)
        {
        case .success(let bytes): return Self.examination(Data(bytes))
        case .failure(let problem): return .nothing(problem.description)
        }
    }

    @concurrent
    func look(_ subject: HeapSubject) async -> HeapLook {
        guard let files = files[subject.worker.service] else { return .nothing("its service carries no sampler") }
        let path = files.path(pid: subject.process.pid)
        var words = [program, "look"] + Self.words(path, subject.process)
        words += ["--service", subject.worker.service, "--worker", "\(subject.worker.number)"]
        if let form = subject.form { words += ["--form", form.rawValue] }
        let limit = subject.form == nil ? Self.viewLimit : Self.fileLimit
        switch await run(words, output: path + ".look", limit: limit, patience: Self.lookPatience) {
        case .success(let bytes):
            guard subject.form == nil else { return .file(bytes) }
            do {
                let decoder = JSONDecoder()
                decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
                return .view(try decoder.decode(HeapView.self, from: Data(bytes)))
            } catch {
                return .nothing("the answer cannot be understood: \(error)")
            }
        case .failure(let problem): return .nothing(problem.description)
        }
    }

    @concurrent
    func tidy() async {
        for files in files.values {
            let now = Uptime(seconds: Double(linux_uptime_ms()) / 1_000)
            // Before anything is kept: what is from after `now` would be taken for another boot's.
            files.prune(now: now)
            let due = files.withoutBase(now: now)
            guard !due.isEmpty else { continue }
            // Each round begins with another one, so that one that cannot be read holds up the rest but once.
            let start = Int(now.seconds / 60) % due.count
            let round = (due[start...] + due[..<start]).prefix(Self.basesAtOnce)
            // What comes of it lies in the folder; what fails is tried again in a minute.
            _ = await run(
                [program, "keep-bases"] + round.flatMap { Self.words($0.path, $0.process) },
                output: files.folder + "/\(files.service).bases", limit: Self.answerLimit)
        }
    }

    private static func words(_ path: String, _ process: ProcessIdentity) -> [String] {
        [path, "\(process.pid)", "\(process.startTicks)"]
    }

    /// What a process of our own printed; when it failed, the reason that it gave.
    private func run(
        _ words: [String], output: String, limit: Int, patience: Int32 = patience
    ) async -> Result<[UInt8], HeapTarget.Problem> {
        // From an earlier one that was cut off.
        unlink(output)
        defer { unlink(output) }
        let process: SpawnedProcess
        do throws(SpawnError) {
            process = try SpawnedProcess(
                words, environment: [HeapTarget.symbolsVariable: symbolFolders.joined(separator: ":")],
                outputPath: output)
        } catch {
            return .failure(HeapTarget.Problem(description: error.reason))
        }
        let exit = await Self.exit(of: process, patience)
        process.killGroup()
        guard let exit else {
            return .failure(HeapTarget.Problem(description: "looking took too long; is the machine busy?"))
        }
        let bytes = FileBytes.read(path: output, limit: limit + 1) ?? []
        guard exit == .code(0) else {
            let text = String(decoding: bytes.prefix(2_000), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            return .failure(HeapTarget.Problem(description: text.isEmpty ? "looking ended with \(exit)" : text))
        }
        guard bytes.count <= limit else {
            return .failure(HeapTarget.Problem(description: "there is more to see than fits into \(limit) bytes"))
        }
        return .success(bytes)
    }

    /// nil when it takes too long, or is not wanted any more.
    private static func exit(of process: SpawnedProcess, _ patience: Int32) async -> SpawnedProcess.Exit? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Waiting blocks, and the threads of tasks are few.
                Thread.detachNewThread {
                    continuation.resume(returning: process.waitForExit(milliseconds: patience))
                }
            }
        } onCancel: {
            process.send(SIGKILL)
        }
    }

    private static func examination(_ output: Data) -> HeapExamination {
        do {
            let evidence = try JSONDecoder().decode(HeapEvidence.self, from: output)
            guard evidence.findings.isEmpty else { return .named(evidence.findings) }
            return .nothing(evidence.remarks.joined(separator: "; "))
        } catch {
            return .nothing("the answer cannot be understood: \(String(decoding: output.prefix(200), as: UTF8.self))")
        }
    }
}
