import Foundation
import LoadGenerator
import OakumModel
import Spawning

/// A whole drill: control, protected, patched, one after the other, in a folder of its own.
///
/// Whatever happens, nothing it started is left running, and the folder is removed unless it is to be kept.
package struct DrillRun: Sendable {
    package var document: DrillDocument
    /// As it was named on the command line, for messages and relative paths.
    package var documentPath: String
    package var tools: DrillTools
    /// Keeps configuration, logs and databases; a note says where.
    package var keepsFolder: Bool
    /// Clean up and end on SIGINT, SIGTERM and SIGHUP. Changes the process's signal handling while the drill runs.
    package var handlesSignals: Bool
    /// The folder that drafts of postmortems go to, one for each arm in which the leak is met; nil: none is written.
    package var postmortems: String?
    package var tell: @Sendable (DrillNews) -> Void

    package init(
        _ document: DrillDocument, documentPath: String, tools: DrillTools, keepsFolder: Bool = false,
        handlesSignals: Bool = false, postmortems: String? = nil,
        tell: @escaping @Sendable (DrillNews) -> Void = { _ in }
    ) {
        self.document = document
        self.documentPath = documentPath
        self.tools = tools
        self.keepsFolder = keepsFolder
        self.handlesSignals = handlesSignals
        self.postmortems = postmortems
        self.tell = tell
    }

    /// Runs it. Cancelling the task cleans up, then throws `interrupted`.
    package func run() async throws(DrillError) -> DrillReport {
        do {
            return try await withThrowingTaskGroup(of: DrillReport?.self) { group in
                group.addTask { try await inFolder() }
                if handlesSignals {
                    group.addTask {
                        if let signal = await InterruptSignals.first() { throw DrillError.interrupted(signal: signal) }
                        return nil
                    }
                }
                defer { group.cancelAll() }
                while let next = try await group.next() {
                    if let report = next { return report }
                }
                throw DrillError.interrupted(signal: 0)
            }
        } catch let error as DrillError {
            throw error
        } catch {
            throw .couldNotRun("\(error)")
        }
    }

    private func inFolder() async throws(DrillError) -> DrillReport {
        raiseFileLimit()
        let folder = try DrillError.couldNot { () throws(SpawnError) in try ScratchFolder(prefix: "oakum-drill") }
        let result: Result<DrillReport, DrillError>
        do throws(DrillError) {
            result = .success(try await arms(folder))
        } catch {
            result = .failure(error)
        }
        await clear(folder)
        if keepsFolder {
            tell(.remark("configuration, logs and databases are kept in \(folder.path)"))
        } else {
            folder.remove()
        }
        return try result.get()
    }

    private func arms(_ folder: ScratchFolder) async throws(DrillError) -> DrillReport {
        let programs = Programs(documentPath: documentPath, oakumPath: tools.oakumPath)
        let faulty = try programs.argv(document.service.faultBuild, file: documentPath)
        let patched = try programs.argv(document.service.patchedBuild, file: documentPath)
        try await checkFault(faulty, folder)
        let leaking = faulty + (document.fault?.arguments ?? [])
        let controlOutcome: ControlArm.Outcome?
        if let seconds = document.arms.control {
            controlOutcome = try await control(leaking, seconds: seconds, folder)
        } else {
            controlOutcome = nil
        }
        let deploy = document.deployAtSeconds.map { DrillDeploy(atSeconds: $0, command: leaking) }
        let protectedOutcome = try await watched(
            .protected, deploy == nil ? leaking : patched, seconds: document.arms.protected, deploy, folder)
        let observedOutcome = try await observed(faulty, patched, folder)
        let patchedOutcome: DrillJudgement.Watched?
        if let seconds = document.arms.patched {
            patchedOutcome = try await watched(.patched, patched, seconds: seconds, nil, folder)
        } else {
            patchedOutcome = nil
        }
        return DrillJudgement.report(
            document, control: controlOutcome, protected: protectedOutcome, observed: observedOutcome,
            patched: patchedOutcome)
    }

    /// Nil: the document has no such arm.
    private func observed(
        _ faulty: [String], _ patched: [String], _ folder: ScratchFolder
    ) async throws(DrillError) -> DrillJudgement.Watched? {
        guard let seconds = document.arms.observed, let observation = document.observation else { return nil }
        let fault = observation.fault(document.fault)
        return try await watched(
            .observed, faulty + (fault?.arguments ?? []), seconds: seconds,
            DrillDeploy(
                atSeconds: observation.fixedAtSeconds, command: patched,
                mark: "the repaired build of \(document.service.name)"),
            folder)
    }

    private func path(_ arm: DrillArm, _ folder: ScratchFolder) throws(DrillError) -> String {
        try DrillError.couldNot { () throws(SpawnError) in try folder.folder(arm.rawValue) }
    }

    private func control(
        _ command: [String], seconds: Double, _ folder: ScratchFolder
    ) async throws(DrillError) -> ControlArm.Outcome {
        tell(.armStarted(.control, seconds: seconds))
        let arm = ControlArm(
            service: document.service, command: command, folder: try path(.control, folder),
            wrongMove: document.wrongMove, tell: tell)
        let outcome = try await arm.run(document.load, seconds: seconds)
        await clear(folder)
        return outcome
    }

    private func watched(
        _ arm: DrillArm, _ command: [String], seconds: Double, _ deploy: DrillDeploy?, _ folder: ScratchFolder
    ) async throws(DrillError) -> DrillJudgement.Watched {
        tell(.armStarted(arm, seconds: seconds))
        let oakumArm = OakumArm(
            arm: arm, service: document.service, command: command, recycle: document.recycle,
            heap: document.heap, tools: tools,
            folder: try path(arm, folder), deploy: deploy, volume: document.volume,
            observation: arm == .observed ? document.observation : nil,
            expectedPerSecond: document.observation?.business.perSecond(document.load) ?? 0,
            postmortem: arm == .patched ? nil : postmortems.map { "\($0)/\(document.scenario)-\(arm.rawValue).md" },
            tell: tell)
        let load = oakumArm.observation?.load(document.load) ?? document.load
        let outcome = try await oakumArm.run(load, seconds: seconds)
        await clear(folder)
        return DrillJudgement.Watched(
            load: outcome.load,
            findings: OakumFindings(
                journal: outcome.journal, lastVerdicts: outcome.lastVerdicts, startedAt: outcome.load.startedAt,
                ownMemory: outcome.ownMemory, samplesHeap: !document.heap.isEmpty, pages: outcome.pages),
            journal: outcome.journal, observed: outcome.observed)
    }

    /// The fault must be one that the build offers.
    private func checkFault(_ command: [String], _ folder: ScratchFolder) async throws(DrillError) {
        guard let fault = document.fault else { return }
        let log = "\(folder.path)/list-faults.log"
        let process = try SpawnedProcess(
            [command[0], "--list-faults"], environment: [(ScratchFolder.marker, folder.path)], logPath: log)
        defer { process.killGroup() }
        let deadline = uptimeNow() + 10
        while process.exitNow() == nil, uptimeNow() < deadline { try await pause(0.02) }
        let place = "\(documentPath), line \(fault.line)"
        guard process.exitNow() == .code(0) else {
            throw .badInput(
                """
                \(place): \(command[0]) does not list the faults it offers (--list-faults); it wrote:
                \(TextFile.tail(log))
                """
            )
        }
        let offered = (TextFile.text(log) ?? "").split(separator: "\n").compactMap {
            $0.split(whereSeparator: \.isWhitespace).first
        }
        guard offered.contains(Substring(fault.name)) else {
            throw .badInput(
                """
                \(place): \(command[0]) offers no fault `\(fault.name)` \
                (it offers: \(offered.joined(separator: ", ")))
                """)
        }
    }

    /// Ends what an arm may have left behind, and says so: it should leave nothing.
    private func clear(_ folder: ScratchFolder) async {
        let (left, survivors) = await uncancelled {
            (folder.leftoverProcesses().count, folder.killLeftovers().count)
        }
        if left > 0 { tell(.remark("\(left) processes were left behind and are killed")) }
        if survivors > 0 { tell(.remark("\(survivors) of them could not be killed")) }
    }
}
