/// What is wrong with a YAML text, where, and what to do about it.
package struct YAMLProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; 0 when the whole text is meant.
    package var line: Int
    package var message: String
    /// What to write instead; nil when the message says it all.
    package var hint: String?

    package init(line: Int, message: String, hint: String? = nil) {
        self.line = line
        self.message = message
        self.hint = hint
    }

    /// "line 12: unknown key `worker` in a service (did you mean `workers`?)".
    package var description: String {
        let place = line > 0 ? "line \(line): " : ""
        return place + message + (hint.map { " (\($0))" } ?? "")
    }
}
