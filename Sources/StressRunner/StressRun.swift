import Foundation
import LeakTrial
import LoadGenerator
import Spawning

/// A whole stress test: every endpoint in turn, then names for what leaks.
package struct StressRun: Sendable {
    private let plan: StressPlan
    /// Path of `liboakumheap.so`; nil: resident memory is all that is read.
    private let sampler: String?
    private let handlesSignals: Bool
    private let tell: @Sendable (String) -> Void

    /// - Parameters:
    ///   - handlesSignals: SIGINT, SIGTERM and SIGHUP end the run as if it were cancelled.
    ///   - tell: gets a line of progress now and then; from any thread.
    package init(
        _ plan: StressPlan, sampler: String?, handlesSignals: Bool = false,
        tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.plan, self.sampler, self.handlesSignals, self.tell) = (plan, sampler, handlesSignals, tell)
    }

    /// Runs it to its end. Everything it starts is stopped and its folder removed, also when it is cancelled.
    package func run() async throws(StressProblem) -> StressReport {
        if let problem = plan.problem { throw .setUp(problem) }
        let folder = try StressProblem.settingUp { () throws(SpawnError) in try ScratchFolder(prefix: "oakum-stress") }
        let result: Result<StressReport, StressProblem>
        do throws(StressProblem) {
            result = .success(try await untilInterrupted(in: folder))
        } catch {
            result = .failure(error)
        }
        // Ends what may have been left behind; nothing should have been.
        folder.killLeftovers()
        folder.remove()
        return try result.get()
    }

    /// Ctrl-C and its like end the run in an orderly way.
    private func untilInterrupted(in folder: ScratchFolder) async throws(StressProblem) -> StressReport {
        guard handlesSignals else { return try await run(in: folder) }
        let result = await withTaskGroup(of: Result<StressReport, StressProblem>?.self) { group in
            group.addTask {
                do throws(StressProblem) {
                    return .success(try await run(in: folder))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask { await InterruptSignals.first() == nil ? nil : .failure(.cancelled) }
            let first = await group.next() ?? nil
            group.cancelAll()
            await group.waitForAll()
            return first ?? .failure(.cancelled)
        }
        return try result.get()
    }

    private func run(in folder: ScratchFolder) async throws(StressProblem) -> StressReport {
        var endpoints: [EndpointReport] = []
        var shared: RunningTarget?
        for (index, endpoint) in plan.endpoints.enumerated() {
            tell("\(endpoint.name) (\(index + 1) of \(plan.endpoints.count))")
            let target: RunningTarget
            do throws(StressProblem) {
                // One that has ended under an endpoint is nothing to ask the next ones of.
                if let shared, shared.end == nil {
                    target = shared
                } else {
                    target = try await start(.count, in: folder, "\(index)")
                    if !plan.settings.startsAnew { shared = target }
                }
            } catch {
                // What was found out so far is not lost to it.
                guard case .setUp(let why) = error, !endpoints.isEmpty else { throw error }
                endpoints.append(EndpointReport(name: endpoint.name, gone: why))
                continue
            }
            do throws(StressProblem) {
                endpoints.append(try await report(of: endpoint, on: target, in: folder, index))
            } catch {
                if plan.settings.startsAnew || error == .cancelled || endpoints.isEmpty { await target.stop() }
                guard case .setUp(let why) = error, !endpoints.isEmpty else { throw error }
                endpoints.append(EndpointReport(name: endpoint.name, gone: why))
                continue
            }
            if plan.settings.startsAnew { await target.stop() }
        }
        await shared?.stop()
        return StressReport(endpoints: endpoints, target: plan.target.words, settings: plan.settings)
    }

    private func report(
        of endpoint: StressEndpoint, on target: RunningTarget, in folder: ScratchFolder, _ index: Int
    ) async throws(StressProblem) -> EndpointReport {
        var run = EndpointRun(
            endpoint: endpoint, settings: plan.settings, sender: try await sender(endpoint, target),
            meter: MemoryMeter(target), tell: tell)
        let outcome: EndpointOutcome
        do throws(StressProblem) {
            outcome = try await run.run()
        } catch {
            guard case .targetGone(let why) = error else { throw error }
            return EndpointReport(name: endpoint.name, gone: why)
        }
        var naming = LeakNaming.Result()
        if outcome.finding.verdict == .leak, plan.settings.names, sampler != nil {
            tell("\(endpoint.name): leaks; run again to name where")
            naming = try await name(endpoint, outcome, in: folder, index)
        }
        return EndpointReport(name: endpoint.name, outcome, naming, hasKeys: endpoint.hasKeys)
    }

    /// What cannot be named is said; the verdict stands all the same.
    private func name(
        _ endpoint: StressEndpoint, _ outcome: EndpointOutcome, in folder: ScratchFolder, _ index: Int
    ) async throws(StressProblem) -> LeakNaming.Result {
        let target: RunningTarget
        do throws(StressProblem) {
            target = try await start(.everything, in: folder, "\(index)-named")
        } catch {
            guard error != .cancelled else { throw error }
            return LeakNaming.Result(remarks: ["it could not be run again to name where: \(error.message)"])
        }
        let result: Result<LeakNaming.Result, StressProblem>
        do throws(StressProblem) {
            let naming = LeakNaming(
                settings: plan.settings, sender: try await sender(endpoint, target), target: target)
            result = .success(
                try await naming.run(
                    arm: outcome.finding.arm, perCycle: outcome.perCycle,
                    bytesPerOperation: outcome.finding.bytesPerOperation?.estimate ?? 0))
        } catch {
            result = .failure(error)
        }
        await target.stop()
        if case .failure(let problem) = result, problem != .cancelled {
            return LeakNaming.Result(remarks: [problem.message])
        }
        return try result.get()
    }

    private func start(
        _ sampling: RunningTarget.Sampling, in folder: ScratchFolder, _ name: String
    ) async throws(StressProblem) -> RunningTarget {
        try await RunningTarget.start(
            plan.target, in: StressProblem.settingUp { () throws(SpawnError) in try folder.folder(name) },
            sampler: sampler,
            sampling: sampling, marker: folder.path)
    }

    /// The sender of an endpoint, with the preparation done.
    private func sender(
        _ endpoint: StressEndpoint, _ target: RunningTarget
    ) async throws(StressProblem) -> any OperationSending {
        do throws(LoadError) {
            let sender = try BatchSender(
                target: target.address, seed: plan.settings.seed, freshSalt: UInt64.random(in: 0 ... .max),
                variables: plan.target.requestVariables)
            for step in plan.target.preparation { try await prepare(step, sender) }
            switch endpoint.operation {
            case .requests(let requests):
                return RequestSender(sender: sender, requests: requests, connections: plan.settings.connections)
            case .command(let words):
                var variables = target.variables
                variables["pid"] = "\(target.process.pid)"
                return CommandSender(
                    words: words, variables: variables, environment: [ScratchFolder.marker: target.marker],
                    logPath: target.logPath + ".operations")
            }
        } catch {
            throw error == .cancelled ? .cancelled : .setUp(error.message)
        }
    }

    private func prepare(_ step: PreparationStep, _ sender: BatchSender) async throws(LoadError) {
        let outcome = try await sender.send(
            RequestBatch(
                requests: [step.request], count: step.count, connections: step.concurrency,
                // Each step counts from 0: what one makes the next can use.
                keys: .pool(max(1, step.count)),
                timeoutSeconds: 30))
        guard outcome.ok == outcome.sent, outcome.sent == UInt64(step.count) else {
            throw .failed(
                "`\(step.request.name)`, which must succeed before anything is measured, failed: "
                    + (outcome.notes.first ?? "no answer"))
        }
    }
}
