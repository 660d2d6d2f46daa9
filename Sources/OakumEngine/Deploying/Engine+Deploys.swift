package import OakumAPI
import OakumModel
import Recycling
import ReleaseGate
import Releases

extension Engine {
    struct DeployJob: Sendable {
        var service: String
        var actions: [DeployAction]
    }

    // MARK: - What is asked for

    /// Checks and unpacks an artefact, then sets out. Returns when the deploy is under way; what comes of it is in the journal.
    func deploy(_ request: DeployRequest) async throws(ControlError) -> CommandOutcome {
        let (store, desk) = try deployable(request.service)
        try refuseWhenBusy(desk, request.service)
        if request.unfreezes {
            deploys[request.service]?.ledger.frozen = nil
        } else if let frozen = desk.ledger.frozen {
            throw .refused(
                "deploys of \(request.service) are frozen: \(frozen); `oakum deploy --unfreeze` when that is understood"
            )
        }
        deploys[request.service]?.isUnpacking = true
        defer { deploys[request.service]?.isUnpacking = false }
        let record: ReleaseRecord
        do throws(ReleaseProblem) {
            record = try await store.unpack(request.artefact, for: request.service, by: request.by)
        } catch {
            throw error.kind == .failed ? .failed(error.description) : .invalid(error.description)
        }
        guard var ledger = deploys[request.service]?.ledger else { throw unknownService(request.service) }
        if let objection = ledger.objection(to: record.release) { throw .refused(objection) }
        if ledger[record.release] == nil { ledger.add(record) }
        let settings = desk.settings
        let plan = DeployPlan(
            service: request.service, candidate: record.release, base: ledger.current,
            pairs: request.skipsCanary ? 0 : settings.pairs,
            trialSeconds: 2 * (services[request.service]?.configuration.pool.readyWithin ?? 30),
            canarySeconds: request.canarySeconds ?? settings.canarySeconds,
            canaryAtMostSeconds: max(settings.canaryAtMostSeconds, request.canarySeconds ?? 0),
            bakeSeconds: settings.bakeSeconds, atOnce: settings.atOnce, by: request.by, isOneWay: record.isOneWay)
        // A release that still bakes has had all the time it gets.
        if let baking = desk.course, ledger[baking.plan.candidate]?.outcome == nil {
            ledger[baking.plan.candidate]?.outcome = .unproven
            ledger[baking.plan.candidate]?.reason = "it baked until \(record.release) came"
        }
        begin(plan, ledger)
        return CommandOutcome(message: "deploying \(record.release) (\(record.version)) to \(request.service)")
    }

    /// Back to a release that ran before: no trial, as fast as workers start. A deploy under way is taken back instead.
    func rollback(
        _ service: String, to release: ReleaseID?, by whom: String
    ) async throws(ControlError) -> CommandOutcome {
        let (_, desk) = try deployable(service)
        if let course = desk.course, release == nil || release == course.plan.base {
            happened(.cancelled(by: whom), to: service)
            return CommandOutcome(message: "taking \(course.plan.candidate) back to \(course.plan.base)")
        }
        try refuseWhenBusy(desk, service)
        let target = release.map { desk.ledger[$0] } ?? desk.ledger.wayBack
        guard let target else {
            let names = desk.ledger.records.map(\.release.text).joined(separator: ", ")
            throw .notFound(
                release.map { "\(service) has no release \($0); it has \(names)" }
                    ?? "\(service) has no earlier release to go back to")
        }
        guard target.release != desk.ledger.current else { throw .refused("\(target.release) is what runs already") }
        let plan = DeployPlan(
            service: service, candidate: target.release, base: desk.ledger.current, pairs: 0,
            bakeSeconds: desk.settings.bakeSeconds, atOnce: desk.settings.atOnce(for: services[service]?.pool),
            by: whom,
            isOneWay: target.isOneWay)
        var ledger = desk.ledger
        ledger[ledger.current]?.outcome = .undone
        ledger[ledger.current]?.reason = "rolled back by \(whom)"
        begin(plan, ledger)
        return CommandOutcome(message: "rolling \(service) back to \(target.release)")
    }

    package func releases(of service: String) async throws(ControlError) -> ReleaseList {
        let (_, desk) = try deployable(service)
        return ReleaseList(service: service, ledger: desk.ledger, gate: desk.report?.lines ?? [])
    }

    private func deployable(_ service: String) throws(ControlError) -> (any ReleaseStore, DeployDesk) {
        guard services[service] != nil else { throw unknownService(service) }
        guard let releaseStore, let desk = deploys[service] else {
            throw .refused(
                "\(service) takes no releases: give it `releases:` and a command with {{release}} in oakum.yaml (docs/deploys.md)"
            )
        }
        return (releaseStore, desk)
    }

    private func refuseWhenBusy(_ desk: DeployDesk, _ service: String) throws(ControlError) {
        guard !isPaused else { throw .refused("acts are paused: allow them again with `oakum pause --off`") }
        guard !desk.isUnpacking else { throw .refused("another artefact of \(service) is being unpacked") }
        // A release that bakes may be followed by the next.
        if let course = desk.course, course.step != .baking {
            throw .refused(
                "\(course.plan.candidate) is being deployed (\(course.step.rawValue)): wait for it, or take it back with "
                    + "`oakum rollback \(service)`")
        }
    }

    private func begin(_ plan: DeployPlan, _ ledger: ReleaseLedger) {
        let now = host.now()
        deploys[plan.service]?.ledger = ledger
        deploys[plan.service]?.ledger.course = DeployCourse(plan: plan, at: Double(now.wall.milliseconds) / 1_000)
        happened(.began, to: plan.service)
    }

    // MARK: - What happens

    func happened(_ event: DeployEvent, to service: String) {
        guard let actions = deploys[service]?.handle(event, at: host.now()), !actions.isEmpty else { return }
        deployJobs.yield(DeployJob(service: service, actions: actions))
    }

    /// The only place that carries out what a deploy wants, one action after the other: nothing is done that is not stored.
    func followDeploys() async -> Ending? {
        await withDiscardingTaskGroup { group in
            for await job in deployStream {
                for action in job.actions {
                    switch action {
                    case .runHook: group.addTask { await self.runHook(job.service) }
                    case .test: group.addTask { await self.runTests(job.service) }
                    default: await carryOut(action, of: job.service)
                    }
                }
            }
        }
        return nil
    }

    private func carryOut(_ action: DeployAction, of service: String) async {
        switch action {
        case .save: await saveLedger(of: service)
        case .startTrial(let release, let pairs):
            update(service) { $0.handle(.trialWanted(candidate: release, pairs: pairs), at: $1) }
        case .endTrial(let keepsCanaries):
            update(service) { $0.handle(.trialEnded(keepsCanaries: keepsCanaries), at: $1) }
        case .rollOver(let release, let atOnce):
            update(service) { $0.handle(.rolloverWanted(release, atOnce: atOnce), at: $1) }
        case .judge: beginJudging(service)
        case .link(let release): await link(release, of: service)
        case .tell(let text): record([deployEvent(service, text)])
        case .page(let text):
            problem("deploy of \(service)", text)
        case .runHook, .test: break
        }
    }

    private func deployEvent(_ service: String, _ text: String) -> Event {
        var facts: [String: String] = [:]
        if let course = deploys[service]?.ledger.course {
            facts = [
                "release": course.plan.candidate.text, "base": course.plan.base.text, "step": course.step.rawValue,
            ]
            if let outcome = course.outcome { facts["outcome"] = outcome.rawValue }
        }
        return Event(kind: .release, at: host.now(), service: service, message: "\(service): \(text)", facts: facts)
    }

    /// Tries until it is stored: a deploy that cannot be remembered goes no further.
    private func saveLedger(of service: String) async {
        let source = "releases of \(service)"
        while !Task.isCancelled, let releaseStore, let ledger = deploys[service]?.ledger {
            do throws(StoreError) {
                try await releaseStore.save(ledger, of: service)
                problem(source, nil)
                return await removeExpendable(service, ledger)
            } catch {
                problem(source, "what was decided cannot be stored, so the deploy waits: \(error)")
            }
            // Cancelled: the next oakum goes on from what was stored.
            try? await clock.sleep(for: .seconds(1))
        }
    }

    private func removeExpendable(_ service: String, _ ledger: ReleaseLedger) async {
        guard let releaseStore, let desk = deploys[service], desk.course == nil else { return }
        for trouble in await releaseStore.remove(ledger.expendable(keep: desk.settings.keep), of: service) {
            record([deployEvent(service, "an old release stays: \(trouble)")])
        }
    }

    private func link(_ release: ReleaseID, of service: String) async {
        guard let releaseStore, !release.isConfigured else { return }
        do throws(ReleaseProblem) {
            try await releaseStore.link(release, of: service)
            problem("current of \(service)", nil)
        } catch {
            // The ledger has it, and the ledger is what oakum goes by: the link is for people and scripts.
            problem("current of \(service)", "it cannot be set to \(release): \(error)")
        }
    }

    private func runHook(_ service: String) async {
        guard let course = deploys[service]?.course else { return }
        let trouble = await releaseRunner?.prepare(course.plan.candidate, of: service)
        happened(.hookEnded(problem: trouble ?? nil), to: service)
    }

    private func runTests(_ service: String) async {
        guard let course = deploys[service]?.course, let trial = services[service]?.pool.trial else { return }
        for number in trial.canaries.sorted() {
            guard let socket = services[service]?.pool.workers[number]?.adminSocket else { continue }
            let trouble = await releaseRunner?.test(course.plan.candidate, of: service, adminSocket: socket)
            if let trouble = trouble ?? nil {
                return happened(.tested(problem: "\(service)/\(number): \(trouble)"), to: service)
            }
        }
        happened(.tested(problem: nil), to: service)
    }

    // MARK: - Comparing

    private func beginJudging(_ service: String) {
        guard let watch = services[service], deploys[service]?.course?.step == .baking else { return }
        let workers = watch.pool.regular.sorted()
        deploys[service]?.beginBake(workers, limit: watch.configuration.budget, at: host.now().uptime)
    }

    func trialStarted(_ trial: Trial, of service: String) {
        guard let limit = services[service]?.configuration.budget else { return }
        deploys[service]?.beginTrial(trial, limit: limit, at: host.now().uptime)
    }

    /// Once a second: has the trial come to serve, and what does the comparison say?
    func tickDeploys(at now: Moment) {
        for service in deploys.keys.sorted() {
            guard let course = deploys[service]?.course else { continue }
            happened(.tick, to: service)
            switch course.step {
            case .trial:
                guard let pool = services[service]?.pool, let trial = pool.trial,
                    trial.numbers.allSatisfy({ pool.workers[$0]?.phase == .serving })
                else { continue }
                happened(.trialServes, to: service)
            case .judging, .baking:
                guard ticks % 5 == 0, let word = deploys[service]?.look(at: now.uptime) else { continue }
                happened(.gate(word), to: service)
            case .preparing, .testing, .promoting, .undoing, .done: continue
            }
        }
    }

    func lostWorker(_ number: UInt32, of service: String, _ message: String) {
        guard deploys[service]?.lost(number, at: host.now().uptime) == true else { return }
        happened(.canaryLost(message), to: service)
    }
}

extension DeploySettings {
    /// On the way back all at once: what runs there ran before.
    func atOnce(for pool: WorkerPool?) -> Int { max(atOnce, pool?.settings.desired ?? 1) }
}
