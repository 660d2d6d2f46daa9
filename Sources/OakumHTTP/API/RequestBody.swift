import HTTPTypes
import Hummingbird
import NIOCore
import OakumAPI

/// Reads request bodies, bounded.
enum RequestBody {
    /// The whole body. Throws 413 for a longer one.
    static func whole(_ request: Request, atMost limit: Int = RequestLimits.bodyBytes) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        do {
            for try await part in request.body {
                guard whole.readableBytes + part.readableBytes <= limit else { throw HTTPFailure.tooLarge(limit) }
                whole.writeImmutableBuffer(part)
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch {
            throw ControlError.invalid("the request body broke off")
        }
        return whole
    }

    /// The members of a JSON object, or of nothing at all, which stands for an empty one.
    ///
    /// - Parameter known: the names there may be; another one is an error, so that a misspelt one is not passed over.
    static func members(_ request: Request, known: Set<String>) async throws -> RequestMembers {
        let body = try await whole(request)
        guard body.readableBytes > 0 else { return RequestMembers(members: [:]) }
        let type = request.headers[.contentType]?.lowercased() ?? "application/json"
        guard type.hasPrefix("application/json") else {
            throw HTTPFailure(
                Problem(
                    title: "Unsupported media type", status: 415, detail: "the body must be application/json",
                    code: "unsupported_media_type"))
        }
        let node: JSONNode
        do throws(JSONNode.Malformed) {
            node = try JSONNode(parsing: Array(body.readableBytesView))
        } catch {
            throw ControlError.invalid("the body is not JSON: \(error.what) after \(error.at) bytes")
        }
        guard let members = node.object else { throw ControlError.invalid("the body must be a JSON object") }
        if let unknown = members.keys.filter({ !known.contains($0) }).sorted().first {
            let names = known.isEmpty ? "none" : known.sorted().joined(separator: ", ")
            throw ControlError.invalid("\(Plain.line(unknown, bytes: 80)) is not known here; there is: \(names)")
        }
        return RequestMembers(members: members)
    }
}

/// The members of a request object, each with its rules.
struct RequestMembers {
    var members: [String: JSONNode]

    /// A text that must be there and not be blank.
    func text(_ name: String, atMost limit: Int) throws(ControlError) -> String {
        guard let text = try optionalText(name, atMost: limit) else {
            throw .invalid("\(name) is missing: a text of 1 to \(limit) characters")
        }
        return text
    }

    /// Nil when it is absent or null.
    func optionalText(_ name: String, atMost limit: Int) throws(ControlError) -> String? {
        guard let node = members[name], node != .null else { return nil }
        guard let text = node.string, (1...limit).contains(text.unicodeScalars.count),
            text.contains(where: { !$0.isWhitespace }), !text.unicodeScalars.contains("\0")
        else { throw .invalid("\(name) must be a text of 1 to \(limit) characters") }
        return text
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(ControlError) -> Double? {
        guard let node = members[name] else { return nil }
        guard let value = node.number, range.contains(value) else {
            throw .invalid(
                "\(name) must be a number from \(Self.words(range.lowerBound)) to \(Self.words(range.upperBound))")
        }
        return value
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Choice.Type
    ) throws(ControlError) -> Choice? where Choice.RawValue == String {
        guard let node = members[name] else { return nil }
        guard let choice = node.string.flatMap({ Choice(rawValue: $0) }) else {
            throw .invalid("\(name) must be one of \(type.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    private static func words(_ value: Double) -> String {
        Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }
}
