/// Who has to leave when room is needed.
public enum EvictionPolicy: String, Sendable, CaseIterable {
    /// S3-FIFO: cheap, robust, the default.
    case s3fifo
    /// Changes between S3-FIFO and adaptive W-TinyLFU, whichever would have had more hits lately. For loops and scans.
    /// Costs more memory and time per use.
    case adaptive
}
