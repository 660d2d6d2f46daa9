import OakumModel

/// What is missing from a plan, as sentences that say what to do.
struct PlanGaps: Sendable {
    private(set) var all: [String]

    init(_ facts: PlanFacts) {
        all = facts.problems
        defer {
            // Facts that have been through here once hold them already.
            var seen: Set<String> = []
            all = all.filter { seen.insert($0).inserted }
        }
        judgePeople(facts)
        judgeServices(facts)
        if facts.audiences.isEmpty { all.append("the business is told nothing: name an audience") }
        if facts.deadMan == nil {
            all.append(
                "nobody notices when Oakum itself is silent: give it the address of an outside dead-man's switch")
        }
    }

    private mutating func judgePeople(_ facts: PlanFacts) {
        let used = Set(facts.services.compactMap(\.policy))
        for name in used.sorted() where !facts.policies.contains(where: { $0.name == name }) {
            all.append("there is no policy \(name), which services name")
        }
        for policy in facts.policies where used.contains(policy.name) {
            let targets = policy.steps.flatMap(\.targets)
            let people = Set(targets.flatMap(\.people))
            let isOpen = targets.contains { $0.who.hasPrefix("channel ") && !$0.ways.isEmpty }
            if targets.allSatisfy(\.ways.isEmpty) {
                all.append("policy \(policy.name) reaches nobody")
                continue
            }
            if people.count == 1, !isOpen, let only = people.first {
                all.append("policy \(policy.name) knows one person alone, \(only): add a second step")
            }
            let channels = Set(targets.flatMap(\.ways).map(\.channel))
            if facts.channels.filter({ channels.contains($0.name) && $0.isLocal }).count == channels.count {
                all.append(
                    "policy \(policy.name) writes to files and terminals alone, and calls nobody: name people and a channel"
                )
            } else if channels.count == 1 {
                all.append("policy \(policy.name) goes through one channel alone: when that fails, nobody is told")
            }
            for target in targets where target.ways.isEmpty {
                all.append("policy \(policy.name): \(target.who) cannot be reached now")
            }
        }
    }

    private mutating func judgeServices(_ facts: PlanFacts) {
        for service in facts.services {
            // `policy: none` is a decision: the plan states it.
            if service.policy == nil, !service.pagesNobody {
                all.append("nobody is paged for \(service.name): name a policy for it")
            }
            if service.runbook == nil { all.append("\(service.name) has no runbook: give it an address") }
            if !service.samplesHeap {
                all.append(
                    "leaks of \(service.name) cannot be named: let its workers carry the sampler (heap: {sampler: true})"
                )
            }
            if service.recycling.capacityFloor == 0 {
                all.append(
                    "\(service.name) may be without any serving worker while one is replaced: raise capacity_floor")
            }
        }
        if facts.observeOnly { all.append("Oakum may only observe: nothing is replaced before its limit") }
    }
}
