/// Why `oakum up` could not start, or had to end: what happened and what to do next.
package struct StartProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
