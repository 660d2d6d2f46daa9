import AlertRules
import Foundation
import IncidentStoreSQLite
package import OakumModel

/// What the business counted before Oakum watched, from elsewhere: for the expectation of a service's `business`.
package struct EarlierBusiness: Sendable {
    /// What was counted in five minutes.
    package struct Span: Hashable, Sendable {
        /// At a multiple of five minutes, UTC.
        package var start: WallTime
        package var count: Double
        /// Of the five minutes those in which it was counted.
        package var seconds: Double

        package init(start: WallTime, count: Double, seconds: Double) {
            self.start = start
            self.count = count
            self.seconds = seconds
        }
    }

    private let stateFolder: String

    /// - Parameter stateFolder: that of an `oakum` that does not run; made where it is missing.
    package init(stateFolder: String) {
        self.stateFolder = stateFolder
    }

    /// Adds to what is known. Of two spans with the same start the one that covers more stays.
    ///
    /// - Parameter metric: the `name` of the entry of `business`.
    /// - Throws: `StartProblem` when the folder cannot be made or written, with what to do.
    package func store(_ spans: [Span], of metric: String, service: String) async throws {
        do {
            try FileManager.default.createDirectory(
                atPath: stateFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartProblem("the state folder \(stateFolder) cannot be made: \(error.localizedDescription)")
        }
        let history = try SQLiteBusinessHistory(path: stateFolder + "/business.sqlite")
        let buckets = spans.map { BusinessBucket(start: $0.start, count: $0.count, coveredSeconds: $0.seconds) }
        try await history.append(buckets, of: metric, service: service)
    }
}
