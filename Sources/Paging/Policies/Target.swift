/// Whom a step tells. Written "person ada", "schedule primary", "channel chat".
package enum Target: Hashable, Sendable {
    case person(String)
    /// Who is on call then.
    case schedule(String)
    /// All who read the channel.
    case channel(String)
}

extension Target: CustomStringConvertible, Codable {
    package var description: String {
        switch self {
        case .person(let name): "person \(name)"
        case .schedule(let name): "schedule \(name)"
        case .channel(let name): "channel \(name)"
        }
    }

    /// Reads what `description` writes; nil: it is none of the three.
    package init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2 else { return nil }
        let name = String(words[1])
        switch words[0] {
        case "person": self = .person(name)
        case "schedule": self = .schedule(name)
        case "channel": self = .channel(name)
        default: return nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let target = Target(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not `person NAME`, `schedule NAME` or `channel NAME`")
        }
        self = target
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
