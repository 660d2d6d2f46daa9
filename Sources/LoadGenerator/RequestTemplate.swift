/// One kind of request: how it is written, what a good answer looks like, what to remember from it.
package struct RequestTemplate: Sendable {
    package enum Body: Sendable {
        case none
        case text(TextTemplate)
        /// Gets the index of the request and the seeded generator of its stream.
        case build(@Sendable (UInt64, inout SeededRandom) -> [UInt8])
    }

    package var name: String
    package var method: String
    package var path: TextTemplate
    package var headers: [(name: String, value: TextTemplate)]
    package var body: Body
    /// Statuses of a good answer.
    package var expectedStatuses: Set<Int>
    /// Text a good answer holds within its first 64 KiB; nil: any.
    package var expectedText: String?
    package var capture: Capture?
    /// What else a good answer must be.
    package var checks: [AnswerCheck]
    /// What to take from a good answer beside `capture`.
    package var extractions: [Extraction]

    package init(
        name: String, method: String = "GET", path: TextTemplate, headers: [(name: String, value: TextTemplate)] = [],
        body: Body = .none, expectedStatuses: Set<Int> = [200, 201, 202, 204], expectedText: String? = nil,
        capture: Capture? = nil, checks: [AnswerCheck] = [], extractions: [Extraction] = []
    ) {
        self.name = name
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.expectedStatuses = expectedStatuses
        self.expectedText = expectedText
        self.capture = capture
        self.checks = checks
        self.extractions = extractions
    }

    private var sources: [ValueSource] { checks.map(\.source) + extractions.map(\.source) }

    /// True when the body of an answer has to be looked at.
    var readsBody: Bool { expectedText != nil || capture != nil || sources.contains { !$0.readsHeaders } }

    /// True when the headers of an answer have to be looked at.
    var readsHeaders: Bool { sources.contains(where: \.readsHeaders) }

    /// `capture` as an extraction for all later requests.
    var shared: [Extraction] {
        capture.map { [Extraction(name: $0.name, source: .json($0.jsonPath), isShared: true)] } ?? []
    }

    /// True when every request of the kind has the same bytes.
    package var isConstant: Bool {
        guard path.isConstant, headers.allSatisfy(\.value.isConstant) else { return false }
        switch body {
        case .none: return true
        case .text(let text): return text.isConstant
        case .build: return false
        }
    }

    /// True when the requests differ with the run's keys.
    package var usesKeys: Bool {
        if case .text(let text) = body, text.usesKeys { return true }
        return path.usesKeys || headers.contains(where: \.value.usesKeys)
    }

    /// Names of captured values it needs.
    var capturedNames: Set<String> {
        var names = headers.reduce(path.capturedNames) { $0.union($1.value.capturedNames) }
        if case .text(let template) = body { names.formUnion(template.capturedNames) }
        return names
    }
}

/// A value to remember from a good answer, for `{{name}}` in later requests. An answer without it is a wrong answer.
package struct Capture: Hashable, Sendable {
    package var name: String
    /// Path of a string or number in the JSON body, its parts joined by dots: "token", "session.token".
    package var jsonPath: String

    package init(name: String, jsonPath: String) {
        self.name = name
        self.jsonPath = jsonPath
    }
}
