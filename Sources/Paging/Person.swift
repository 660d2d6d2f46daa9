/// Somebody who can be told.
package struct Person: Hashable, Sendable, Codable {
    /// Of the configuration: "ada".
    package var name: String
    /// For people: "Ada Lovelace".
    package var displayName: String
    /// In which times are shown to this person.
    package var zone: ZoneRules
    /// Every way to reach this person, the first to be tried first.
    package var contacts: [Contact]

    package init(name: String, displayName: String, zone: ZoneRules = .utc, contacts: [Contact] = []) {
        self.name = name
        self.displayName = displayName
        self.zone = zone
        self.contacts = contacts
    }
}

/// One way to reach a person.
package struct Contact: Hashable, Sendable, Codable {
    /// Name of a channel.
    package var channel: String
    /// Where in the channel (a mail address, a topic); nil: the channel knows.
    package var address: String?
    /// How long after the step it is used, unless somebody acknowledges before.
    package var afterSeconds: Double

    package init(channel: String, address: String? = nil, afterSeconds: Double = 0) {
        self.channel = channel
        self.address = address
        self.afterSeconds = afterSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case channel, address
        case afterSeconds = "after_s"
    }
}
