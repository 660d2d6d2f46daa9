/// A failed call as it travels: problem details of RFC 9457, with `code` as the name programs go by.
package struct Problem: Hashable, Sendable, Codable {
    /// A short name for the status.
    package var title: String
    /// The HTTP status.
    package var status: Int
    /// One sentence for people: what happened and what to do next.
    package var detail: String
    /// The `ControlError` case in snake case, or a further name of the server's own. Added to, never renamed.
    package var code: String

    /// The media type.
    package static let contentType = "application/problem+json"

    package init(title: String, status: Int, detail: String, code: String) {
        self.title = title
        self.status = status
        self.detail = detail
        self.code = code
    }

    package init(_ error: ControlError) {
        self.init(title: error.title, status: error.status, detail: error.message, code: error.code)
    }
}

extension ControlError {
    /// The case a problem stands for; codes this version does not know become `.failed`.
    package init(_ problem: Problem) {
        switch problem.code {
        case "not_running": self = .notRunning(problem.detail)
        case "not_found": self = .notFound(problem.detail)
        case "refused": self = .refused(problem.detail)
        case "forbidden": self = .forbidden(problem.detail)
        case "invalid": self = .invalid(problem.detail)
        default: self = .failed(problem.detail)
        }
    }

    /// The case's name on the wire.
    package var code: String {
        switch self {
        case .notRunning: "not_running"
        case .notFound: "not_found"
        case .refused: "refused"
        case .forbidden: "forbidden"
        case .invalid: "invalid"
        case .failed: "failed"
        }
    }

    /// The HTTP status it travels with.
    package var status: Int {
        switch self {
        case .notRunning: 503
        case .notFound: 404
        case .refused: 409
        case .forbidden: 403
        case .invalid: 400
        case .failed: 500
        }
    }

    fileprivate var title: String {
        switch self {
        case .notRunning: "Not running"
        case .notFound: "Not found"
        case .refused: "Refused"
        case .forbidden: "Forbidden"
        case .invalid: "Invalid request"
        case .failed: "Failed"
        }
    }
}
