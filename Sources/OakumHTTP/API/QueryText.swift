import Hummingbird
import OakumAPI

/// Reads query parameters; a value that is there but malformed is an error, not a default.
enum QueryText {
    static func text(_ request: Request, _ name: Substring) -> String? {
        request.uri.queryParameters[name].map { String($0) }
    }

    static func whole(_ request: Request, _ name: Substring) throws(ControlError) -> Int64? {
        guard let text = text(request, name) else { return nil }
        guard let value = Int64(text), (0...1 << 53).contains(value) else {
            throw .invalid("\(name) must be a whole number from 0 to 2^53")
        }
        return value
    }

    /// Whose heap is meant.
    static func heap(_ request: Request) throws(ControlError) -> HeapQuery {
        guard let service = text(request, "service"), let number = try whole(request, "worker"),
            let worker = UInt32(exactly: number)
        else { throw .invalid("name a worker: /api/v1/heap?service=NAME&worker=NUMBER") }
        return HeapQuery(service: service, worker: worker)
    }

    static func number(_ request: Request, _ name: Substring) throws(ControlError) -> Double? {
        guard let text = text(request, name) else { return nil }
        guard let value = Double(text), value.isFinite, value > 0 else {
            throw .invalid("\(name) must be a number above 0")
        }
        return value
    }
}
