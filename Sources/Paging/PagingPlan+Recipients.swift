package import OakumModel

/// One message that has to be sent.
package struct Recipient: Hashable, Sendable, Codable {
    /// Name of the person; nil: all who read the channel.
    package var person: String?
    package var channel: String
    package var address: String?
    /// How long after the step, unless somebody acknowledges before.
    package var afterSeconds: Double

    package init(person: String? = nil, channel: String, address: String? = nil, afterSeconds: Double = 0) {
        self.person = person
        self.channel = channel
        self.address = address
        self.afterSeconds = afterSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case person, channel, address
        case afterSeconds = "after_s"
    }
}

/// Who is told, and who should be but cannot.
package struct Recipients: Hashable, Sendable {
    /// Every channel and address once, the earliest first.
    package var recipients: [Recipient]
    /// One sentence each: "nobody is on call in schedule primary".
    package var unreachable: [String]
}

extension PagingPlan {
    /// Who is told when these targets are notified at this time.
    package func recipients(of targets: [Target], at wall: WallTime) -> Recipients {
        var result = Recipients(recipients: [], unreachable: [])
        for target in targets {
            switch target {
            case .person(let name):
                add(name, because: nil, to: &result)
            case .channel(let name):
                add(Recipient(channel: name), to: &result)
            case .schedule(let name):
                guard let schedule = schedule(name) else {
                    result.unreachable.append("there is no schedule \(name)")
                    continue
                }
                let people = schedule.onCall(at: wall)
                if people.isEmpty { result.unreachable.append("nobody is on call in schedule \(name)") }
                for person in people { add(person, because: name, to: &result) }
            }
        }
        var order = Array(result.recipients.enumerated())
        order.sort { ($0.element.afterSeconds, $0.offset) < ($1.element.afterSeconds, $1.offset) }
        result.recipients = order.map(\.element)
        return result
    }

    private func add(_ name: String, because schedule: String?, to result: inout Recipients) {
        let origin = schedule.map { " of schedule \($0)" } ?? ""
        guard let person = person(name) else {
            result.unreachable.append("there is no person \(name)\(origin)")
            return
        }
        if person.contacts.isEmpty { result.unreachable.append("\(name)\(origin) has no contact") }
        for contact in person.contacts {
            add(
                Recipient(
                    person: name, channel: contact.channel, address: contact.address,
                    afterSeconds: contact.afterSeconds), to: &result)
        }
    }

    private func add(_ recipient: Recipient, to result: inout Recipients) {
        guard channels.contains(recipient.channel) else {
            let whose = recipient.person.map { ", a contact of \($0)" } ?? ""
            result.unreachable.append("there is no channel \(recipient.channel)\(whose)")
            return
        }
        let same = result.recipients.firstIndex {
            $0.channel == recipient.channel && $0.address == recipient.address
        }
        guard let same else {
            result.recipients.append(recipient)
            return
        }
        result.recipients[same].afterSeconds = min(result.recipients[same].afterSeconds, recipient.afterSeconds)
        if result.recipients[same].person == nil { result.recipients[same].person = recipient.person }
    }
}
