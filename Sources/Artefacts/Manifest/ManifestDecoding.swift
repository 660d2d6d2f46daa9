// A JSON parser of our own would be one more thing that hostile bytes reach; this one is well trodden.
import FoundationEssentials

extension Manifest {
    /// - Throws: `.manifest` with the key that is missing or wrong. Keys that are not known are ignored.
    package init(json: [UInt8], limits: ArtefactLimits = ArtefactLimits()) throws(ArtefactError) {
        struct Version: Decodable { var format: Int }
        let version: Version = try Self.decode(json)
        guard version.format == Self.currentFormat else {
            throw Self.wrong(
                "format \(version.format) is not read here, \(Self.currentFormat) is: it was made for another version of oakum"
            )
        }
        self = try Self.decode(json)
        try check(limits: limits)
    }

    private static func decode<Value: Decodable>(_ json: [UInt8]) throws(ArtefactError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(json))
        } catch let error as DecodingError {
            throw wrong(text(of: error))
        } catch {
            throw wrong("\(error)")
        }
    }

    static func wrong(_ detail: String) -> ArtefactError { ArtefactError(.manifest, fileName, detail) }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) is null"
        case .typeMismatch(let type, let context): "\(place(context.codingPath)) is not \(noun(type))"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            "it is not JSON, or a number in it is none that fits"
        case .dataCorrupted(let context): "\(place(context.codingPath)) cannot be read: \(context.debugDescription)"
        @unknown default: "it cannot be read: \(error)"
        }
    }

    /// `files[3].sha256`
    private static func place(_ path: [any CodingKey]) -> String {
        let text = path.reduce("") { text, key in
            if let index = key.intValue { return text + "[\(index)]" }
            return text + (text.isEmpty ? "" : ".")
                + EntryPath.shown(Array(key.stringValue.utf8)).dropFirst().dropLast()
        }
        return text.isEmpty ? "the whole" : text
    }

    private static func noun(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is [String: String].Type, is [String: Any].Type: "an object"
        case is [Any].Type: "a list"
        default: "of the right kind"
        }
    }
}
