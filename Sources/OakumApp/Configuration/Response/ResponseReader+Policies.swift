import Notify
import Paging
import StrictYAML

extension ResponseReader {
    /// `policies`, or what is done without any: every channel that finds somebody by itself is told at once.
    mutating func policies(_ value: YAMLValue?) throws(YAMLProblem) {
        guard let value else {
            guard !settings.hasOwnFile else { return }
            let channels = settings.configuredChannels.filter(\.findsSomebody).map { Target.channel($0.name) }
            guard !channels.isEmpty else {
                throw YAMLProblem(
                    line: 0, message: "no policy says who is paged", hint: "`policies:` \(Self.policyExample)")
            }
            settings.plan.policies = [EscalationPolicy(name: "default", steps: [EscalationStep(targets: channels)])]
            return
        }
        var policies: [EscalationPolicy] = []
        for entry in try value.list(atMost: 100) {
            let mapping = try entry.mapping(
                ["name", "steps", "repeat", "repeat_after", "acknowledgement"], as: "a policy")
            let name = try name(mapping, of: "policy", taken: policies.map(\.name))
            guard name != Self.noPolicy else {
                throw entry.problem(
                    "a policy cannot be called `none`", hint: "`policy: none` of a service pages nobody")
            }
            let steps = try steps(try mapping.require("steps", hint: Self.policyExample))
            let longest = steps.map(\.afterSeconds).max() ?? 0
            policies.append(
                EscalationPolicy(
                    name: name, steps: steps,
                    repeats: try mapping["repeat"]?.integer(in: 0...EscalationPolicy.repeatLimit) ?? 0,
                    repeatAfterSeconds: try mapping["repeat_after"]?.seconds(in: 10...86_400)
                        ?? (longest > 0 ? max(10, longest) : 300),
                    acknowledgementSeconds: try mapping["acknowledgement"]?.seconds(in: 60...2_592_000)))
        }
        guard !policies.isEmpty else { throw value.problem("`policies` is empty", hint: Self.policyExample) }
        settings.plan.policies = policies
        let named = policies.first { $0.name == "default" } ?? (policies.count == 1 ? policies[0] : nil)
        settings.defaultPolicy = named?.name
        if named == nil {
            warn(
                value, "incidents of no service page nobody: no policy is called `default`",
                hint: "call one of them `default`")
        }
    }

    /// What a service says instead of a policy's name when nobody shall be paged for it.
    static let noPolicy = "none"

    static let policyExample =
        "such as - {name: default, steps: [{notify: [schedule primary]}, {after: 5min, notify: [person ben]}]}"

    private func steps(_ value: YAMLValue) throws(YAMLProblem) -> [EscalationStep] {
        var steps: [EscalationStep] = []
        for entry in try value.list(atMost: EscalationPolicy.stepLimit) {
            let mapping = try entry.mapping(["after", "notify"], as: "a step")
            var targets: [Target] = []
            let list = try mapping.require("notify", hint: Self.targetHint)
            for target in try list.oneOrMore(atMost: 50) { targets.append(try self.target(target)) }
            guard !targets.isEmpty else { throw list.problem("the step tells nobody", hint: Self.targetHint) }
            let after = try mapping["after"]?.seconds(in: 0...86_400) ?? (steps.isEmpty ? 0 : nil)
            guard let after else {
                throw entry.problem(
                    "how long after the step before?", hint: "`after: 5min`, or `after: 0s` for at once")
            }
            steps.append(EscalationStep(afterSeconds: after, targets: targets))
        }
        guard !steps.isEmpty else { throw value.problem("a policy needs a step", hint: Self.policyExample) }
        return steps
    }

    private static let targetHint = "`person NAME`, `schedule NAME` or `channel NAME`"

    private func target(_ value: YAMLValue) throws(YAMLProblem) -> Target {
        let text = try value.string()
        guard let target = Target(text) else {
            throw value.problem("`\(text)` is nobody to tell", hint: Self.targetHint)
        }
        let plan = settings.plan
        let (known, names) =
            switch target {
            case .person(let name): (plan.person(name) != nil, plan.people.map(\.name))
            case .schedule(let name): (plan.schedule(name) != nil, plan.schedules.map(\.name))
            case .channel(let name): (plan.channels.contains(name), plan.channels)
            }
        guard known else {
            let there = names.isEmpty ? "there is none" : "there are \(names.prefix(20).joined(separator: ", "))"
            throw value.problem("there is no \(target)", hint: there)
        }
        if case .channel(let name) = target {
            guard settings.configuredChannels.first(where: { $0.name == name })?.findsSomebody ?? true else {
                throw value.problem(
                    "the channel `\(name)` does not know whom to tell", hint: "give it a recipient, or tell a person")
            }
        }
        return target
    }
}
