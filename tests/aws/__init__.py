"""The adapters of AWS and LINE: contracts that the fakes keep as well."""
