import Spawning

/// Why a drill could not be run to its end.
package enum DrillError: Error, Hashable, Sendable {
    /// The document asks for something that does not exist; line and hint are in the message.
    case badInput(String)
    /// A program could not be started, did not become ready, or ended too early. The message ends in what it last
    /// wrote.
    case couldNotRun(String)
    /// A signal asked for the end; everything was stopped and removed.
    case interrupted(signal: Int32)

    package var message: String {
        switch self {
        case .badInput(let text), .couldNotRun(let text): text
        case .interrupted(let signal): "interrupted by signal \(signal); everything it had started is stopped"
        }
    }

    /// What the body does, or `couldNotRun` with why it failed.
    static func couldNot<Result>(_ body: () throws(SpawnError) -> Result) throws(DrillError) -> Result {
        do throws(SpawnError) {
            return try body()
        } catch {
            throw .couldNotRun(error.reason)
        }
    }

    /// What a command that runs drills exits with.
    package var exitCode: Int32 {
        switch self {
        case .badInput: 2
        case .couldNotRun: 4
        case .interrupted(let signal): 128 + signal
        }
    }
}
