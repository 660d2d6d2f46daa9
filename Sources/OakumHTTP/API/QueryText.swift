import Hummingbird
import OakumAPI

/// Reads query parameters; a value that is there but malformed is an error, not a default.
enum QueryText {
    static func text(_ request: Request, _ name: Substring) -> String? {
        request.uri.queryParameters[name].map { String($0) }
    }

    static func whole(_ request: Request, _ name: Substring) throws(ControlError) -> Int64? {
        guard let text = text(request, name) else { return nil }
        guard let value = Int64(text), value >= 0 else {
            throw .invalid("\(name) must be a whole number, not below 0")
        }
        return value
    }

    static func number(_ request: Request, _ name: Substring) throws(ControlError) -> Double? {
        guard let text = text(request, name) else { return nil }
        guard let value = Double(text), value.isFinite, value > 0 else {
            throw .invalid("\(name) must be a number above 0")
        }
        return value
    }
}
