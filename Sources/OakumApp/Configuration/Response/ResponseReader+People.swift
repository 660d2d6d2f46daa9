import Notify
import Paging
import StrictYAML

extension ResponseReader {
    mutating func people(_ value: YAMLValue) throws(YAMLProblem) -> [Person] {
        var people: [Person] = []
        for entry in try value.list(atMost: 1_000) {
            let mapping = try entry.mapping(["name", "display", "time_zone", "contact"], as: "a person")
            let name = try name(mapping, of: "person", taken: people.map(\.name))
            guard name != "oakum" else {
                throw entry.problem("a person cannot be called `oakum`", hint: "that is who writes timelines")
            }
            var person = Person(name: name, displayName: name)
            if let display = mapping["display"] { person.displayName = try text(display) }
            if let zone = mapping["time_zone"] { person.zone = try zones.rules(zone) }
            for contact in try mapping["contact"]?.oneOrMore(atMost: 20) ?? [] {
                person.contacts.append(try self.contact(contact))
            }
            if person.contacts.isEmpty {
                warn(entry, "`\(name)` cannot be reached", hint: "`contact: [{channel: …, address: …}]`")
            }
            people.append(person)
        }
        return people
    }

    private func contact(_ value: YAMLValue) throws(YAMLProblem) -> Contact {
        let mapping = try value.mapping(["channel", "address", "after"], as: "a contact")
        let place = try mapping.require("channel", hint: "the name of an entry of `channels`")
        let channel = try known(place, "channel", among: settings.plan.channels)
        let address = try address(mapping["address"], of: channel, value)
        return Contact(
            channel: channel, address: address, afterSeconds: try mapping["after"]?.seconds(in: 0...86_400) ?? 0)
    }

    /// An address that the channel can do something with; nil where it needs none.
    func address(
        _ value: YAMLValue?, of channel: String, _ place: YAMLValue
    ) throws(YAMLProblem) -> String? {
        let settings = settings.configuredChannels.first { $0.name == channel }
        guard let value else {
            guard settings?.findsSomebody ?? true else {
                throw place.problem(
                    "the channel `\(channel)` needs an address", hint: "`address: …` here, or one in the channel itself"
                )
            }
            return nil
        }
        switch settings?.kind {
        case .mail: return try mailAddress(value)
        case .ntfy, .pagerDuty: return try text(value)
        case .webhook, .slack, .file, .console, nil:
            throw value.problem("the channel `\(channel)` has no addresses", hint: "leave `address` out")
        }
    }

    // MARK: - Audiences

    /// - Parameter services: names of all services.
    mutating func audiences(_ value: YAMLValue, services: [String]) throws(YAMLProblem) {
        for entry in try value.list(atMost: 50) {
            let mapping = try entry.mapping(
                ["name", "channel", "address", "services", "when", "time_zone"], as: "an audience")
            let name = try name(mapping, of: "audience", taken: settings.audiences.map(\.name))
            let place = try mapping.require("channel", hint: "the name of an entry of `channels`")
            let channel = try known(place, "channel", among: settings.plan.channels)
            var audience = AudienceSettings(
                name: name, channel: channel, address: try address(mapping["address"], of: channel, entry))
            for service in try mapping["services"]?.oneOrMore(atMost: 1_000) ?? [] {
                audience.services.insert(try known(service, "service", among: services))
            }
            if let when = mapping["when"] {
                audience.stages = []
                for stage in try when.oneOrMore(atMost: 20) { audience.stages.insert(try stage.choice()) }
                guard !audience.stages.isEmpty else {
                    throw when.problem("`when` is empty", hint: "leave it out for all")
                }
            }
            if let zone = mapping["time_zone"] { audience.zone = try zones.rules(zone) }
            settings.audiences.append(audience)
        }
    }
}
