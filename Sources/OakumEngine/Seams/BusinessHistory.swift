package import AlertRules

/// What the business counted over the last weeks, by service and metric, in buckets of five minutes.
package protocol BusinessHistory: Sendable {
    /// Stores a bucket; of two with the same start the one that covers more of it stays. Those older than
    /// `BusinessBucket.days` go.
    func append(_ bucket: BusinessBucket, of metric: String, service: String) async throws(StoreError)
    /// All that is kept, rising in time; at most `BusinessBucket.limit`.
    func buckets(of metric: String, service: String) async throws(StoreError) -> [BusinessBucket]
}
